#define _GNU_SOURCE
#include "CSQLiteLedger.h"

#include <dlfcn.h>
#include <pthread.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

const sqlite3_api_routines *ils_api;
static pthread_mutex_t adoption = PTHREAD_MUTEX_INITIALIZER;

static struct {
    void *(*hook)(sqlite3 *, ils_preupdate, void *);
    int (*old)(sqlite3 *, int, sqlite3_value **);
    int (*new)(sqlite3 *, int, sqlite3_value **);
    int (*count)(sqlite3 *);
    int (*depth)(sqlite3 *);
    int (*blobwrite)(sqlite3 *);
} preupdate;

// POSIX lets dlsym hand out functions as data pointers; ISO C has no cast for it, so the bytes are copied.
static void look_up(void *library, const char *name, void *into) {
    void *found = dlsym(library, name);
    memcpy(into, &found, sizeof found);
}

static void find_preupdate(void) {
    Dl_info info;
    void *address;
    memcpy(&address, &ils_api->step, sizeof address);
    if (!dladdr(address, &info) || !info.dli_fname) return;
    // Loaded already, so nothing is loaded here. A program that contains SQLite is found through its own handle.
    void *library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (!library) library = dlopen(0, RTLD_LAZY);
    if (!library) return;
    void *step = dlsym(library, "sqlite3_step");
    // Another copy of SQLite in the same process must not be mistaken for ours.
    if (step == address) {
        look_up(library, "sqlite3_preupdate_hook", &preupdate.hook);
        look_up(library, "sqlite3_preupdate_old", &preupdate.old);
        look_up(library, "sqlite3_preupdate_new", &preupdate.new);
        look_up(library, "sqlite3_preupdate_count", &preupdate.count);
        look_up(library, "sqlite3_preupdate_depth", &preupdate.depth);
        look_up(library, "sqlite3_preupdate_blobwrite", &preupdate.blobwrite);
        if (!preupdate.old || !preupdate.new || !preupdate.count || !preupdate.depth) preupdate.hook = 0;
    }
    dlclose(library);
}

int ils_adopt(const void *api) {
    pthread_mutex_lock(&adoption);
    if (!ils_api && api) {
        ils_api = api;
        find_preupdate();
    }
    int same = ils_api == api && api;
    pthread_mutex_unlock(&adoption);
    return same;
}

int ils_is_adopted(void) { return ils_api != 0; }

int ils_has_preupdate(void) { return preupdate.hook != 0; }
void *ils_preupdate_hook(sqlite3 *db, ils_preupdate hook, void *context) {
    return preupdate.hook ? preupdate.hook(db, hook, context) : 0;
}
int ils_preupdate_old(sqlite3 *db, int column, sqlite3_value **value) {
    return preupdate.old ? preupdate.old(db, column, value) : SQLITE_ERROR;
}
int ils_preupdate_new(sqlite3 *db, int column, sqlite3_value **value) {
    return preupdate.new ? preupdate.new(db, column, value) : SQLITE_ERROR;
}
int ils_preupdate_count(sqlite3 *db) { return preupdate.count ? preupdate.count(db) : 0; }
int ils_preupdate_depth(sqlite3 *db) { return preupdate.depth ? preupdate.depth(db) : 0; }
int ils_preupdate_blobwrite(sqlite3 *db) { return preupdate.blobwrite ? preupdate.blobwrite(db) : -1; }

void ils_forget_function(sqlite3 *db, const char *name, int argumentCount) {
    static const int encodings[] = {SQLITE_UTF8, SQLITE_UTF16LE, SQLITE_UTF16BE};
    for (int i = 0; i < 3; i++) sqlite3_create_function(db, name, argumentCount, encodings[i], 0, 0, 0, 0);
}

int ils_config_flag(sqlite3 *db, int option, int value, int *now) { return sqlite3_db_config(db, option, value, now); }

int ils_is_triggers_enabled(sqlite3 *db) {
    int on = 1;
    return sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, -1, &on) == SQLITE_OK ? on : 1;
}

sqlite3_value *ils_value_number(int is_real, double real, sqlite3_int64 whole) {
    // Only SQLite makes values: a statement without a table hands one out.
    sqlite3 *db = 0;
    sqlite3_stmt *s = 0;
    sqlite3_value *made = 0;
    if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY, 0) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT ?", -1, &s, 0) == SQLITE_OK &&
        (is_real ? sqlite3_bind_double(s, 1, real) : sqlite3_bind_int64(s, 1, whole)) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        made = sqlite3_value_dup(sqlite3_column_value(s, 0));
    sqlite3_finalize(s);
    sqlite3_close(db);
    return made;
}

int ils_bind_utf16(sqlite3_stmt *s, int i, sqlite3_value *v) {
    // Between the two byte orders SQLite swaps bytes and checks nothing.
    const char *text = sqlite3_value_text16(v);
    sqlite3_uint64 n = (sqlite3_uint64)sqlite3_value_bytes16(v);
    uint16_t mark = 0xfeff;
    uint16_t first = 0;
    if (n >= 2) memcpy(&first, text, 2);
    if (first != mark && first != 0xfffe)
        return sqlite3_bind_text64(s, i, text ? text : "", n, SQLITE_TRANSIENT, SQLITE_UTF16);
    // SQLite takes what looks like a byte order mark off: so it gets one to take.
    char *marked = sqlite3_malloc64(n + 4);
    if (!marked) return SQLITE_NOMEM;
    memcpy(marked, &mark, 2);
    memcpy(marked + 2, text, n);
    memset(marked + 2 + n, 0, 2);
    return sqlite3_bind_text64(s, i, marked, n + 2, sqlite3_free, SQLITE_UTF16);
}

char *ils_message(const char *text) { return sqlite3_mprintf("%s", text); }

char *ils_message_of(const void *api, const char *text) {
    return ((const sqlite3_api_routines *)api)->mprintf("%s", text);
}

int ils_login(char *buffer, int capacity) {
    struct passwd entry, *found = 0;
    char space[4096];
    buffer[0] = 0;
    if (getpwuid_r(geteuid(), &entry, space, sizeof space, &found) || !found || !found->pw_name) return 0;
    size_t count = strlen(found->pw_name);
    if (count >= (size_t)capacity) return 0;
    memcpy(buffer, found->pw_name, count + 1);
    return 1;
}

// The virtual table. It has no rows: it exists because SQLite tells virtual tables about transactions and savepoints.

typedef struct {
    sqlite3_vtab base;
    sqlite3 *db;
    const ils_callbacks *callbacks;
    void *context;
} table;

typedef struct {
    const ils_callbacks *callbacks;
    void *context;
} registration;

static int declare(sqlite3 *db, registration *r, sqlite3_vtab **made) {
    int code = sqlite3_declare_vtab(db, "CREATE TABLE x(unused)");
    if (code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    sqlite3_vtab_config(db, SQLITE_VTAB_CONSTRAINT_SUPPORT, 1);
    table *t = sqlite3_malloc(sizeof *t);
    if (!t) return SQLITE_NOMEM;
    memset(t, 0, sizeof *t);
    t->db = db;
    t->callbacks = r->callbacks;
    t->context = r->context;
    *made = &t->base;
    return SQLITE_OK;
}

static int table_connect(sqlite3 *db, void *data, int argc, const char *const *argv, sqlite3_vtab **made, char **error) {
    (void)argc, (void)argv, (void)error;
    return declare(db, data, made);
}

static int table_disconnect(sqlite3_vtab *v) {
    sqlite3_free(v);
    return SQLITE_OK;
}

static int table_best_index(sqlite3_vtab *v, sqlite3_index_info *info) {
    (void)v;
    info->estimatedCost = 1;
    return SQLITE_OK;
}

static int cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **made) {
    (void)v;
    sqlite3_vtab_cursor *c = sqlite3_malloc(sizeof *c);
    if (!c) return SQLITE_NOMEM;
    memset(c, 0, sizeof *c);
    *made = c;
    return SQLITE_OK;
}

static int cursor_close(sqlite3_vtab_cursor *c) {
    sqlite3_free(c);
    return SQLITE_OK;
}

static int cursor_filter(sqlite3_vtab_cursor *c, int n, const char *s, int argc, sqlite3_value **argv) {
    (void)c, (void)n, (void)s, (void)argc, (void)argv;
    return SQLITE_OK;
}

static int cursor_next(sqlite3_vtab_cursor *c) {
    (void)c;
    return SQLITE_OK;
}

static int cursor_eof(sqlite3_vtab_cursor *c) {
    (void)c;
    return 1;
}

static int cursor_column(sqlite3_vtab_cursor *c, sqlite3_context *context, int i) {
    (void)c, (void)i;
    sqlite3_result_null(context);
    return SQLITE_OK;
}

static int cursor_rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *row) {
    (void)c;
    *row = 0;
    return SQLITE_OK;
}

// An INSERT OR IGNORE does nothing and counts as no change: see ILS_ENLIST.
static int table_update(sqlite3_vtab *v, int argc, sqlite3_value **argv, sqlite3_int64 *row) {
    (void)argc, (void)argv, (void)row;
    return sqlite3_vtab_on_conflict(((table *)v)->db) == SQLITE_IGNORE ? SQLITE_CONSTRAINT : SQLITE_READONLY;
}

static int table_begin(sqlite3_vtab *v) {
    table *t = (table *)v;
    return t->callbacks->begin(t->context);
}

static int table_sync(sqlite3_vtab *v) {
    table *t = (table *)v;
    char *message = 0;
    int code = t->callbacks->sync(t->context, &message);
    if (message) {
        sqlite3_free(v->zErrMsg);
        v->zErrMsg = message;
    }
    return code;
}

static int table_commit(sqlite3_vtab *v) {
    table *t = (table *)v;
    t->callbacks->commit(t->context);
    return SQLITE_OK;
}

static int table_rollback(sqlite3_vtab *v) {
    table *t = (table *)v;
    t->callbacks->rollback(t->context);
    return SQLITE_OK;
}

static int table_savepoint(sqlite3_vtab *v, int level) {
    table *t = (table *)v;
    t->callbacks->savepoint(t->context, level);
    return SQLITE_OK;
}

static int table_release(sqlite3_vtab *v, int level) {
    table *t = (table *)v;
    t->callbacks->release_savepoint(t->context, level);
    return SQLITE_OK;
}

static int table_rollback_to(sqlite3_vtab *v, int level) {
    table *t = (table *)v;
    t->callbacks->rollback_to(t->context, level);
    return SQLITE_OK;
}

// Without xCreate the table is eponymous only: it exists in every connection that registered it and in no schema.
static const sqlite3_module module = {
    .iVersion = 2,
    .xConnect = table_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = table_disconnect,
    .xDestroy = table_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
    .xUpdate = table_update,
    .xBegin = table_begin,
    .xSync = table_sync,
    .xCommit = table_commit,
    .xRollback = table_rollback,
    .xSavepoint = table_savepoint,
    .xRelease = table_release,
    .xRollbackTo = table_rollback_to,
};

// A second table that no statement ever stays on, so that SQLite disconnects it whenever the connection is about to
// close: that is when the statements we keep must go, those on the first table among them.

static int closing_connect(sqlite3 *db, void *data, int argc, const char *const *argv, sqlite3_vtab **made,
                           char **error) {
    (void)argc, (void)argv, (void)error;
    registration *r = data;
    int code = declare(db, r, made);
    if (code == SQLITE_OK) r->callbacks->connected(r->context);
    return code;
}

static int closing_disconnect(sqlite3_vtab *v) {
    table *t = (table *)v;
    t->callbacks->disconnected(t->context);
    sqlite3_free(t);
    return SQLITE_OK;
}

static const sqlite3_module closing = {
    .iVersion = 1,
    .xConnect = closing_connect,
    .xBestIndex = table_best_index,
    .xDisconnect = closing_disconnect,
    .xDestroy = closing_disconnect,
    .xOpen = cursor_open,
    .xClose = cursor_close,
    .xFilter = cursor_filter,
    .xNext = cursor_next,
    .xEof = cursor_eof,
    .xColumn = cursor_column,
    .xRowid = cursor_rowid,
};

static void forget(void *data) {
    registration *r = data;
    r->callbacks->release(r->context);
    sqlite3_free(r);
}

static int register_module(sqlite3 *db, const char *name, const sqlite3_module *m, const ils_callbacks *callbacks,
                           void *context) {
    registration *r = sqlite3_malloc(sizeof *r);
    if (!r) return SQLITE_NOMEM;
    r->callbacks = callbacks;
    r->context = context;
    callbacks->retain(context);
    return sqlite3_create_module_v2(db, name, m, r, forget);
}

int ils_register(sqlite3 *db, const ils_callbacks *callbacks, void *context) {
    int code = register_module(db, ILS_MODULE, &module, callbacks, context);
    if (code == SQLITE_OK) code = register_module(db, ILS_CLOSING, &closing, callbacks, context);
    if (code != SQLITE_OK) return code;
    return ils_function(db, ILS_CAPTURE, -1, 0, callbacks, context, callbacks->capture);
}

int ils_function(sqlite3 *db, const char *name, int argumentCount, int isDirectOnly, const ils_callbacks *callbacks,
                 void *context, void (*f)(sqlite3_context *, int, sqlite3_value **)) {
    callbacks->retain(context);
    int flags = SQLITE_UTF8 | (isDirectOnly ? SQLITE_DIRECTONLY : SQLITE_INNOCUOUS);
    return sqlite3_create_function_v2(db, name, argumentCount, flags, context, f, 0, 0, callbacks->release);
}
