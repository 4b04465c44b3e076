// AES-256-GCM under a key that is set up once, by the BoringSSL that swift-crypto builds and that every program with it
// contains.
//
// swift-crypto's own interface expands the key anew for every message and copies texts and tag through `Data`, which
// costs several times the encryption of a small entry. This calls the same code directly (decision 0015).
#ifndef CLEDGERGCM_H
#define CLEDGERGCM_H

#include <stddef.h>
#include <stdint.h>

// On Apple's systems swift-crypto is CryptoKit and builds no BoringSSL.
#if !defined(__APPLE__)

// The names under which swift-crypto compiles BoringSSL's EVP_AEAD functions. If one ever changes, linking fails.
const void *CCryptoBoringSSL_EVP_aead_aes_256_gcm(void);
void *CCryptoBoringSSL_EVP_AEAD_CTX_new(const void *aead, const uint8_t *key, size_t key_count, size_t tag_count);
void CCryptoBoringSSL_EVP_AEAD_CTX_free(void *context);
int CCryptoBoringSSL_EVP_AEAD_CTX_seal_scatter(
    const void *context, uint8_t *out, uint8_t *tag, size_t *tag_count, size_t tag_limit, const uint8_t *nonce,
    size_t nonce_count, const uint8_t *in, size_t in_count, const uint8_t *extra, size_t extra_count,
    const uint8_t *authenticated, size_t authenticated_count);

// A context for 32 bytes of key; NULL without memory.
static inline void *ledger_gcm_new(const void *key) {
    return CCryptoBoringSSL_EVP_AEAD_CTX_new(CCryptoBoringSSL_EVP_aead_aes_256_gcm(), (const uint8_t *)key, 32, 16);
}

// Wipes the key as well.
static inline void ledger_gcm_free(void *context) { CCryptoBoringSSL_EVP_AEAD_CTX_free(context); }

// Encrypts `count` bytes in place under a nonce of 12 bytes and writes a tag of 16. Several threads may use one context.
// Returns 1 when all went well.
static inline int ledger_gcm_seal(
    const void *context, const void *nonce, void *text, size_t count, const void *authenticated,
    size_t authenticated_count, void *tag) {
    size_t tag_count = 0;
    return CCryptoBoringSSL_EVP_AEAD_CTX_seal_scatter(
               context, (uint8_t *)text, (uint8_t *)tag, &tag_count, 16, (const uint8_t *)nonce, 12,
               (const uint8_t *)text, count, NULL, 0, (const uint8_t *)authenticated, authenticated_count) == 1
        && tag_count == 16;
}
#endif

#endif
