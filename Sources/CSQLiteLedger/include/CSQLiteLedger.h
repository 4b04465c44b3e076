// The part of SQLite that the ledger uses, through the function table that SQLite hands to its extensions. Nothing
// here links against a SQLite library: the table is whichever one the process that loads us brings along, so the same
// code works inside Python's SQLite, the sqlite3 shell and a program that links libsqlite3.
#pragma once

#include <sqlite3ext.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Set once by `ils_adopt`, before anything else is called.
extern const sqlite3_api_routines *ils_api;
#define sqlite3_api ils_api

// Remembers the function table. Returns 0 when the process already uses this code with another SQLite library, which
// would mix two libraries' objects.
int ils_adopt(const void *api);
int ils_is_adopted(void);

// Opening and closing

static inline int ils_open(const char *path, sqlite3 **db, int flags) {
    return sqlite3_open_v2(path, db, flags, 0);
}
static inline int ils_open_vfs(const char *path, sqlite3 **db, int flags, const char *vfs) {
    return sqlite3_open_v2(path, db, flags, vfs);
}
static inline int ils_close(sqlite3 *db) { return sqlite3_close_v2(db); }
static inline int ils_busy_timeout(sqlite3 *db, int ms) { return sqlite3_busy_timeout(db, ms); }
static inline int ils_extended_result_codes(sqlite3 *db, int on) { return sqlite3_extended_result_codes(db, on); }
static inline int ils_extended_errcode(sqlite3 *db) { return sqlite3_extended_errcode(db); }
static inline int ils_errcode(sqlite3 *db) { return sqlite3_errcode(db); }
static inline const char *ils_errmsg(sqlite3 *db) { return sqlite3_errmsg(db); }
static inline const char *ils_errstr(int code) { return sqlite3_errstr(code); }
static inline int ils_libversion_number(void) { return sqlite3_libversion_number(); }
static inline const char *ils_libversion(void) { return sqlite3_libversion(); }
static inline const char *ils_filename(sqlite3 *db, const char *name) { return sqlite3_db_filename(db, name); }
// The name of a database of the connection: from 2 on they are attached ones. 0 after the last, and before SQLite 3.39.
static inline const char *ils_database_name(sqlite3 *db, int place) {
    return sqlite3_libversion_number() >= 3039000 ? sqlite3_db_name(db, place) : 0;
}
static inline int ils_is_readonly(sqlite3 *db, const char *name) { return sqlite3_db_readonly(db, name); }
static inline int ils_autocommit(sqlite3 *db) { return sqlite3_get_autocommit(db); }
static inline int ils_txn_state(sqlite3 *db, const char *name) { return sqlite3_txn_state(db, name); }
static inline sqlite3_int64 ils_total_changes(sqlite3 *db) { return sqlite3_total_changes(db); }
static inline int ils_exec(sqlite3 *db, const char *sql) { return sqlite3_exec(db, sql, 0, 0, 0); }
static inline int ils_limit(sqlite3 *db, int what, int value) { return sqlite3_limit(db, what, value); }
static inline sqlite3_int64 ils_last_insert_rowid(sqlite3 *db) { return sqlite3_last_insert_rowid(db); }
static inline void ils_set_last_insert_rowid(sqlite3 *db, sqlite3_int64 row) {
    sqlite3_set_last_insert_rowid(db, row);
}
// Another number after each commit of anybody's; 0 when SQLite cannot say.
static inline unsigned ils_data_version(sqlite3 *db, const char *name) {
    unsigned version = 0;
    sqlite3_file_control(db, name, SQLITE_FCNTL_DATA_VERSION, &version);
    return version;
}
// SQLite's file of the main database. It stays the same until `sqlite3_deserialize` puts another database in its place.
static inline sqlite3_file *ils_main_file(sqlite3 *db) {
    sqlite3_file *file = 0;
    sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    return file;
}
static inline const void *ils_file(sqlite3 *db) { return ils_main_file(db); }
// Bytes of that file: a descriptor of its own, when closed, would take the process's locks away.
static inline int ils_read_file(sqlite3 *db, void *bytes, int count, sqlite3_int64 offset) {
    sqlite3_file *file = ils_main_file(db);
    if (!file || !file->pMethods) return SQLITE_CANTOPEN;
    return file->pMethods->xRead(file, bytes, count, offset);
}
static inline void ils_interrupt(sqlite3 *db) { sqlite3_interrupt(db); }
static inline void ils_progress_handler(sqlite3 *db, int steps, int (*f)(void *), void *p) {
    sqlite3_progress_handler(db, steps, f, p);
}
// Variadic in C, so wrapped for each shape that is needed.
int ils_config_flag(sqlite3 *db, int option, int value, int *now);
int ils_is_triggers_enabled(sqlite3 *db);

// Statements

static inline int ils_prepare(sqlite3 *db, const char *sql, int byteCount, unsigned flags, sqlite3_stmt **statement,
                              const char **tail) {
    return sqlite3_prepare_v3(db, sql, byteCount, flags, statement, tail);
}
static inline int ils_step(sqlite3_stmt *s) { return sqlite3_step(s); }
static inline int ils_reset(sqlite3_stmt *s) { return sqlite3_reset(s); }
static inline int ils_clear_bindings(sqlite3_stmt *s) { return sqlite3_clear_bindings(s); }
static inline int ils_finalize(sqlite3_stmt *s) { return sqlite3_finalize(s); }
static inline int ils_stmt_readonly(sqlite3_stmt *s) { return sqlite3_stmt_readonly(s); }
static inline int ils_stmt_busy(sqlite3_stmt *s) { return sqlite3_stmt_busy(s); }
static inline const char *ils_stmt_sql(sqlite3_stmt *s) { return sqlite3_sql(s); }
// How often SQLite had to compile the statement again because the schema changed.
static inline int ils_reprepares(sqlite3_stmt *s) { return sqlite3_stmt_status(s, SQLITE_STMTSTATUS_REPREPARE, 0); }
static inline sqlite3_stmt *ils_next_stmt(sqlite3 *db, sqlite3_stmt *s) { return sqlite3_next_stmt(db, s); }
static inline int ils_bind_parameter_count(sqlite3_stmt *s) { return sqlite3_bind_parameter_count(s); }
static inline int ils_bind_null(sqlite3_stmt *s, int i) { return sqlite3_bind_null(s, i); }
// NULL to whoever reads it. `destroyed` is called when the statement is finalised or the parameter bound anew.
static inline int ils_bind_pointer(sqlite3_stmt *s, int i, void *v, void (*destroyed)(void *)) {
    return sqlite3_bind_pointer(s, i, v, "ledger", destroyed);
}
static inline int ils_bind_int64(sqlite3_stmt *s, int i, sqlite3_int64 v) { return sqlite3_bind_int64(s, i, v); }
static inline int ils_bind_double(sqlite3_stmt *s, int i, double v) { return sqlite3_bind_double(s, i, v); }
// The bytes are copied.
static inline int ils_bind_text(sqlite3_stmt *s, int i, const char *v, uint64_t n) {
    return sqlite3_bind_text64(s, i, v ? v : "", n, SQLITE_TRANSIENT, SQLITE_UTF8);
}
static inline int ils_bind_blob(sqlite3_stmt *s, int i, const void *v, uint64_t n) {
    return sqlite3_bind_blob64(s, i, v ? v : "", n, SQLITE_TRANSIENT);
}
// The bytes are not copied: they must live until the statement is reset and bound again.
static inline int ils_bind_text_static(sqlite3_stmt *s, int i, const char *v, uint64_t n) {
    return sqlite3_bind_text64(s, i, v ? v : "", n, SQLITE_STATIC, SQLITE_UTF8);
}
static inline int ils_bind_blob_static(sqlite3_stmt *s, int i, const void *v, uint64_t n) {
    return sqlite3_bind_blob64(s, i, v ? v : "", n, SQLITE_STATIC);
}
// A text of a UTF-16 database as it is, be it Unicode or not. The bytes are copied.
int ils_bind_utf16(sqlite3_stmt *s, int i, sqlite3_value *v);
static inline int ils_column_count(sqlite3_stmt *s) { return sqlite3_column_count(s); }
static inline const char *ils_column_name(sqlite3_stmt *s, int i) { return sqlite3_column_name(s, i); }
static inline const char *ils_column_decltype(sqlite3_stmt *s, int i) { return sqlite3_column_decltype(s, i); }
static inline int ils_column_type(sqlite3_stmt *s, int i) { return sqlite3_column_type(s, i); }
static inline sqlite3_int64 ils_column_int64(sqlite3_stmt *s, int i) { return sqlite3_column_int64(s, i); }
static inline double ils_column_double(sqlite3_stmt *s, int i) { return sqlite3_column_double(s, i); }
static inline const char *ils_column_text(sqlite3_stmt *s, int i) { return (const char *)sqlite3_column_text(s, i); }
static inline const void *ils_column_blob(sqlite3_stmt *s, int i) { return sqlite3_column_blob(s, i); }
static inline int ils_column_bytes(sqlite3_stmt *s, int i) { return sqlite3_column_bytes(s, i); }
static inline sqlite3_value *ils_column_value(sqlite3_stmt *s, int i) { return sqlite3_column_value(s, i); }

// Values and results of SQL functions

static inline int ils_value_type(sqlite3_value *v) { return sqlite3_value_type(v); }
static inline sqlite3_int64 ils_value_int64(sqlite3_value *v) { return sqlite3_value_int64(v); }
static inline double ils_value_double(sqlite3_value *v) { return sqlite3_value_double(v); }
static inline const char *ils_value_text(sqlite3_value *v) { return (const char *)sqlite3_value_text(v); }
static inline const void *ils_value_blob(sqlite3_value *v) { return sqlite3_value_blob(v); }
static inline int ils_value_bytes(sqlite3_value *v) { return sqlite3_value_bytes(v); }
// What the pre-update hook of SQLite 3.40 says of a column that an older record lacks: a NULL of SQLite's own, which is at
// the same address as that of a statement that does not exist. Later versions say the column's default.
static inline sqlite3_value *ils_missing_value(void) { return sqlite3_column_value(0, 0); }
static inline sqlite3_value *ils_value_dup(const sqlite3_value *v) { return sqlite3_value_dup(v); }
static inline void ils_value_free(sqlite3_value *v) { sqlite3_value_free(v); }
// A REAL (`real`) or INTEGER (`whole`) value of one's own, to be freed; 0 when there is no memory.
sqlite3_value *ils_value_number(int is_real, double real, sqlite3_int64 whole);
static inline void *ils_user_data(sqlite3_context *c) { return sqlite3_user_data(c); }
static inline void ils_result_null(sqlite3_context *c) { sqlite3_result_null(c); }
static inline void ils_result_int64(sqlite3_context *c, sqlite3_int64 v) { sqlite3_result_int64(c, v); }
static inline void ils_result_text(sqlite3_context *c, const char *v, int n) {
    sqlite3_result_text(c, v, n, SQLITE_TRANSIENT);
}
static inline void ils_result_error(sqlite3_context *c, const char *v, int n) { sqlite3_result_error(c, v, n); }
static inline void ils_result_error_code(sqlite3_context *c, int code) { sqlite3_result_error_code(c, code); }

// Copies a message into SQLite's memory, for the `char **` that extensions and virtual tables report errors in.
char *ils_message(const char *text);
// The same for the memory of the SQLite library whose function table `api` is.
char *ils_message_of(const void *api, const char *text);

// What a connection registers. Every function gets `context`; `release` is called once for each call of `ils_register`
// that succeeded or failed, when SQLite forgets the last of what it registered.

typedef struct ils_callbacks {
    void (*retain)(void *context);
    void (*release)(void *context);
    void (*capture)(sqlite3_context *, int, sqlite3_value **);
    void (*connected)(void *context);
    void (*disconnected)(void *context);
    // Return an SQLite result code; a message goes to `*message`, made by `ils_message`.
    int (*begin)(void *context);
    int (*sync)(void *context, char **message);
    void (*commit)(void *context);
    void (*rollback)(void *context);
    void (*savepoint)(void *context, int level);
    void (*release_savepoint)(void *context, int level);
    void (*rollback_to)(void *context, int level);
} ils_callbacks;

// The name of the function that triggers call. Where it is missing, SQLite's message says what is needed.
#define ILS_CAPTURE "ledger_table_needs_indelible_extension"
#define ILS_MODULE "ledger_capture"
// Makes SQLite tell ILS_MODULE about the running transaction. The one form that writes nothing and for which SQLite
// keeps no statement journal: `INSERT … SELECT`, `DELETE` and `UPDATE` count as writing several rows.
#define ILS_ENLIST "INSERT OR IGNORE INTO main.ledger_capture VALUES(NULL)"
// The virtual table whose disconnection announces that the connection is closing. Whoever keeps statements names it once,
// in one that is not kept.
#define ILS_CLOSING "ledger_closing"

// What hooks get. Whoever sets a hook of its own is handed it, as that of the hook before, and some take it for an object
// of their kind: Perl's driver for one of its values, SQLite's session extension for a session. It begins with zeros, which
// both take for nothing. To be freed; 0 when there is no memory.
#define ILS_HOOK_ZEROS 512
static inline void *ils_hook_context(void *connection) {
    char *made = calloc(1, ILS_HOOK_ZEROS + sizeof connection);
    if (made) memcpy(made + ILS_HOOK_ZEROS, &connection, sizeof connection);
    return made;
}
static inline void *ils_hooked(void *context) {
    void *connection;
    memcpy(&connection, (char *)context + ILS_HOOK_ZEROS, sizeof connection);
    return connection;
}

// Registers the capture function, the virtual table that follows the connection's transactions, and the one that
// announces its end.
int ils_register(sqlite3 *db, const ils_callbacks *callbacks, void *context);
// A further function. `isDirectOnly`: not from triggers and views; otherwise it may be used in them even where the
// schema is not trusted.
int ils_function(sqlite3 *db, const char *name, int argumentCount, int isDirectOnly, const ils_callbacks *callbacks,
                 void *context, void (*f)(sqlite3_context *, int, sqlite3_value **));

// Makes the connection forget a function, for all encodings. Nothing happens to those of SQLite itself.
void ils_forget_function(sqlite3 *db, const char *name, int argumentCount);

static inline int ils_set_authorizer(sqlite3 *db,
                                     int (*f)(void *, int, const char *, const char *, const char *, const char *),
                                     void *context) {
    return sqlite3_set_authorizer(db, f, context);
}
static inline void *ils_commit_hook(sqlite3 *db, int (*f)(void *), void *context) {
    return sqlite3_commit_hook(db, f, context);
}
static inline void *ils_wal_hook(sqlite3 *db, int (*f)(void *, sqlite3 *, const char *, int), void *context) {
    return sqlite3_wal_hook(db, f, context);
}
// A line for the host's error log.
static inline void ils_log(int code, const char *text) { sqlite3_log(code, "%s", text); }
static inline void *ils_rollback_hook(sqlite3 *db, void (*f)(void *), void *context) {
    return sqlite3_rollback_hook(db, f, context);
}
// Takes away the callbacks that only an application sets: progress, trace and update. There is no asking for them, so they
// cannot be given back.
static inline void ils_forget_callbacks(sqlite3 *db) {
    sqlite3_progress_handler(db, 0, 0, 0);
    sqlite3_trace_v2(db, 0, 0, 0);
    sqlite3_update_hook(db, 0, 0);
}
static inline int ils_wal_checkpoint(sqlite3 *db, const char *name) { return sqlite3_wal_checkpoint(db, name); }
static inline int ils_auto_extension(void (*f)(void)) { return sqlite3_auto_extension(f); }

// The pre-update hook. It is not in the function table, because SQLite may be built without it; so it is looked up in
// the library that the function table belongs to.

typedef void (*ils_preupdate)(void *context, sqlite3 *db, int operation, const char *database, const char *table,
                              sqlite3_int64 oldRow, sqlite3_int64 newRow);

int ils_has_preupdate(void);
// Returns the context of the hook that was installed before.
void *ils_preupdate_hook(sqlite3 *db, ils_preupdate hook, void *context);
int ils_preupdate_old(sqlite3 *db, int column, sqlite3_value **value);
int ils_preupdate_new(sqlite3 *db, int column, sqlite3_value **value);
int ils_preupdate_count(sqlite3 *db);
int ils_preupdate_depth(sqlite3 *db);
// The column that sqlite3_blob_write is about to change, or -1.
int ils_preupdate_blobwrite(sqlite3 *db);

// The name of the user that the process runs as, or an empty text.
int ils_login(char *buffer, int capacity);
