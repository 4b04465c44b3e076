// SHA-256 of one contiguous piece, by the BoringSSL that swift-crypto builds and that every program with it contains.
//
// swift-crypto's own interface makes a reference-counted context for every digest and reaches it through unspecialised
// generics, which costs several times the hashing of a small leaf. This calls the same code directly (decision 0014).
#ifndef CLEDGERSHA256_H
#define CLEDGERSHA256_H

#include <stddef.h>
#include <stdint.h>

// On Apple's systems swift-crypto is CryptoKit and builds no BoringSSL.
#if !defined(__APPLE__)

// The name under which swift-crypto compiles BoringSSL's SHA256(). If it ever changes, linking fails.
uint8_t *CCryptoBoringSSL_SHA256(const uint8_t *data, size_t count, uint8_t digest[32]);

static inline void ledger_sha256(const void *data, size_t count, void *digest) {
    CCryptoBoringSSL_SHA256((const uint8_t *)data, count, (uint8_t *)digest);
}
#endif

#endif
