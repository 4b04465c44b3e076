// Removed with the first type of this module.
