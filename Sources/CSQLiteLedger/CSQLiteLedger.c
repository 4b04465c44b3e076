#include "CSQLiteLedger.h"
