// One measurement of the SQLite engine, through the C API, so that the driver costs as little as it can.
//
//   sqlite MODE EXTENSION DATABASE WORKLOAD COUNT       MODE: plain | audit | ledger
//
// Prints the seconds of the workload alone. `make` creates the table (audit: with its triggers; ledger: enabled).
// The audit triggers are what people write by hand: they copy rows to a history table and hash nothing.
#define _GNU_SOURCE
#include <openssl/sha.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *db;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(2);
}

static void run(const char *sql) {
    if (sqlite3_exec(db, sql, 0, 0, 0) != SQLITE_OK) fail(sql);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *s;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, 0) != SQLITE_OK) fail(sql);
    return s;
}

static void step_done(sqlite3_stmt *s) {
    if (sqlite3_step(s) != SQLITE_DONE) fail("step");
    sqlite3_reset(s);
}

static uint64_t seed = 88172645463325252ull;
static uint64_t rnd(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void make(const char *mode) {
    run("CREATE TABLE account(id INTEGER PRIMARY KEY, owner TEXT NOT NULL, balance INTEGER NOT NULL, rate REAL, note TEXT)");
    if (!strcmp(mode, "audit"))
        run("CREATE TABLE account_history(op TEXT, id INTEGER, owner TEXT, balance INTEGER, rate REAL, note TEXT);"
            "CREATE TRIGGER ai AFTER INSERT ON account BEGIN INSERT INTO account_history"
            " VALUES('I', NEW.id, NEW.owner, NEW.balance, NEW.rate, NEW.note); END;"
            "CREATE TRIGGER au AFTER UPDATE ON account BEGIN INSERT INTO account_history"
            " VALUES('U', OLD.id, OLD.owner, OLD.balance, OLD.rate, OLD.note); END;"
            "CREATE TRIGGER ad AFTER DELETE ON account BEGIN INSERT INTO account_history"
            " VALUES('D', OLD.id, OLD.owner, OLD.balance, OLD.rate, OLD.note); END;");
    if (!strcmp(mode, "ledger")) run("SELECT ledger_init(); SELECT ledger_enable('account')");
}

static void insert(long count, int one_transaction) {
    sqlite3_stmt *s = prepare("INSERT INTO account(owner, balance, rate, note) VALUES(?1, ?2, ?3, ?4)");
    char owner[32], note[64];
    if (one_transaction) run("BEGIN");
    for (long i = 0; i < count; i++) {
        int a = snprintf(owner, sizeof owner, "owner %06lu", (unsigned long)(rnd() % 1000000));
        int b = snprintf(note, sizeof note, "a note of common length %016llx", (unsigned long long)rnd());
        sqlite3_bind_text(s, 1, owner, a, SQLITE_STATIC);
        sqlite3_bind_int64(s, 2, (sqlite3_int64)(rnd() % 100000000));
        sqlite3_bind_double(s, 3, (double)(rnd() % 10000) / 7.0);
        sqlite3_bind_text(s, 4, note, b, SQLITE_STATIC);
        step_done(s);
    }
    if (one_transaction) run("COMMIT");
    sqlite3_finalize(s);
}

static long rows(void) {
    sqlite3_stmt *s = prepare("SELECT max(id) FROM account");
    sqlite3_step(s);
    long n = (long)sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    return n;
}

static void update(long count) {
    long n = rows();
    sqlite3_stmt *s = prepare("UPDATE account SET balance = balance + ?1 WHERE id = ?2");
    run("BEGIN");
    for (long i = 0; i < count; i++) {
        sqlite3_bind_int64(s, 1, (sqlite3_int64)(rnd() % 100));
        sqlite3_bind_int64(s, 2, (sqlite3_int64)(rnd() % (uint64_t)n) + 1);
        step_done(s);
    }
    run("COMMIT");
    sqlite3_finalize(s);
}

static uint64_t sink;
static void take(sqlite3_stmt *s) {
    for (int c = 0; c < sqlite3_column_count(s); c++) sink += (uint64_t)sqlite3_column_bytes(s, c);
}

static void point(long count) {
    long n = rows();
    sqlite3_stmt *s = prepare("SELECT * FROM account WHERE id = ?1");
    for (long i = 0; i < count; i++) {
        sqlite3_bind_int64(s, 1, (sqlite3_int64)(rnd() % (uint64_t)n) + 1);
        if (sqlite3_step(s) != SQLITE_ROW) fail("point");
        take(s);
        sqlite3_reset(s);
    }
    sqlite3_finalize(s);
}

static void scan(long count) {
    for (long i = 0; i < count; i++) {
        sqlite3_stmt *s = prepare("SELECT * FROM account");
        while (sqlite3_step(s) == SQLITE_ROW) take(s);
        sqlite3_finalize(s);
    }
}

// What verification cannot do without: read every row once, hash a leaf of the size that the format gives it
// (Documentation/spec/sql-row.md: 93 bytes and, for each value, a type byte, 8 bytes, and the bytes of texts), and one
// 65-byte node for each leaf.
static void floor_(void) {
    sqlite3_stmt *s = prepare("SELECT * FROM account");
    static unsigned char leaf[1 << 16], node[65], out[32];
    node[0] = 1;
    while (sqlite3_step(s) == SQLITE_ROW) {
        size_t n = 93;
        for (int c = 0; c < 5; c++) {
            int type = sqlite3_column_type(s, c);
            leaf[n++] = (unsigned char)type;
            if (type == SQLITE_TEXT) {
                const unsigned char *p = sqlite3_column_text(s, c);
                int k = sqlite3_column_bytes(s, c);
                memcpy(leaf + n + 8, p, (size_t)k);
                n += 8 + (size_t)k;
            } else {
                sqlite3_int64 v = sqlite3_column_int64(s, c);
                memcpy(leaf + n, &v, 8);
                n += 8;
            }
        }
        SHA256_CTX h;
        SHA256_Init(&h);
        SHA256_Update(&h, leaf, n);
        SHA256_Final(out, &h);
        memcpy(node + 1, out, 32);
        SHA256_Init(&h);
        SHA256_Update(&h, node, 65);
        SHA256_Final(out, &h);
        sink += out[0];
    }
    sqlite3_finalize(s);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: sqlite plain|audit|ledger EXTENSION DATABASE WORKLOAD COUNT\n");
        return 2;
    }
    const char *mode = argv[1], *extension = argv[2], *path = argv[3], *work = argv[4];
    long count = atol(argv[5]);
    if (sqlite3_open(path, &db) != SQLITE_OK) fail(path);
    if (!strcmp(mode, "ledger")) {
        char *error = 0;
        sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, (int *)0);
        if (sqlite3_load_extension(db, extension, 0, &error) != SQLITE_OK) {
            fprintf(stderr, "%s: %s\n", extension, error ? error : "?");
            return 2;
        }
    }
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
    if (!strcmp(work, "make")) make(mode);
    double began = now();
    if (!strcmp(work, "durable")) insert(count, 0);
    else if (!strcmp(work, "bulk")) insert(count, 1);
    else if (!strcmp(work, "update")) update(count);
    else if (!strcmp(work, "point")) point(count);
    else if (!strcmp(work, "scan")) scan(count);
    else if (!strcmp(work, "floor")) floor_();
    else if (strcmp(work, "make")) return fprintf(stderr, "%s: unknown workload\n", work), 2;
    printf("%.6f\n", now() - began);
    // The ledger must not leave statements behind.
    if (sqlite3_close(db) != SQLITE_OK) fail("close");
    return sink == 42 ? 3 : 0;
}
