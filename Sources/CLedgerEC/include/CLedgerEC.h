// Arithmetic on NIST's curves by the BoringSSL that swift-crypto builds and that every program with it contains.
//
// swift-crypto's interface checks one signature at a time and forgets everything between two. This reaches the arithmetic
// below it, so that a verifier can keep the multiples of a key that signed thousands of roots, and check many signatures
// together (decision 0016). Only public values go through here: nothing of this is meant for private keys.
#ifndef CLEDGEREC_H
#define CLEDGEREC_H

#include <stddef.h>
#include <stdint.h>

// On Apple's systems swift-crypto is CryptoKit and builds no BoringSSL.
#if !defined(__APPLE__)

typedef struct ec_group_st EC_GROUP;
typedef struct ec_point_st EC_POINT;
typedef struct bignum_st BIGNUM;
typedef struct bignum_ctx BN_CTX;
typedef struct bn_mont_ctx_st BN_MONT_CTX;

// The names under which swift-crypto compiles BoringSSL's functions. If one ever changes, linking fails. Where nothing
// else is said, they return 1, or a pointer, when all went well.
EC_GROUP *CCryptoBoringSSL_EC_GROUP_new_by_curve_name(int nid);
const BIGNUM *CCryptoBoringSSL_EC_GROUP_get0_order(const EC_GROUP *group);
const EC_POINT *CCryptoBoringSSL_EC_GROUP_get0_generator(const EC_GROUP *group);
int CCryptoBoringSSL_EC_GROUP_get_curve_GFp(
    const EC_GROUP *group, BIGNUM *prime, BIGNUM *a, BIGNUM *b, BN_CTX *scratch);

EC_POINT *CCryptoBoringSSL_EC_POINT_new(const EC_GROUP *group);
void CCryptoBoringSSL_EC_POINT_free(EC_POINT *point);
int CCryptoBoringSSL_EC_POINT_copy(EC_POINT *to, const EC_POINT *from);
int CCryptoBoringSSL_EC_POINT_dbl(const EC_GROUP *group, EC_POINT *twice, const EC_POINT *a, BN_CTX *scratch);
int CCryptoBoringSSL_EC_POINT_oct2point(
    const EC_GROUP *group, EC_POINT *point, const uint8_t *bytes, size_t count, BN_CTX *scratch);
int CCryptoBoringSSL_EC_POINT_get_affine_coordinates_GFp(
    const EC_GROUP *group, const EC_POINT *point, BIGNUM *x, BIGNUM *y, BN_CTX *scratch);

BIGNUM *CCryptoBoringSSL_BN_new(void);
void CCryptoBoringSSL_BN_free(BIGNUM *number);
int CCryptoBoringSSL_BN_bn2le_padded(uint8_t *bytes, size_t count, const BIGNUM *number);
BN_MONT_CTX *CCryptoBoringSSL_BN_MONT_CTX_new_for_modulus(const BIGNUM *modulus, BN_CTX *scratch);

// Numbers of `count` words, the lowest first, below the modulus. `count` must be that of the modulus: these end the
// process otherwise. Results may take the place of what they are made from.
void CCryptoBoringSSL_bn_to_montgomery_small(
    uint64_t *result, const uint64_t *a, size_t count, const BN_MONT_CTX *modulus);
void CCryptoBoringSSL_bn_from_montgomery_small(
    uint64_t *result, size_t result_count, const uint64_t *a, size_t count, const BN_MONT_CTX *modulus);
void CCryptoBoringSSL_bn_mod_mul_montgomery_small(
    uint64_t *product, const uint64_t *a, const uint64_t *b, size_t count, const BN_MONT_CTX *modulus);
// The modulus must be a prime.
void CCryptoBoringSSL_bn_mod_inverse0_prime_mont_small(
    uint64_t *inverse, const uint64_t *a, size_t count, const BN_MONT_CTX *modulus);
void CCryptoBoringSSL_bn_mod_sub_words(
    uint64_t *difference, const uint64_t *a, const uint64_t *b, const uint64_t *modulus, uint64_t *scratch,
    size_t count);
// 1 when `a` is less than `b`.
int CCryptoBoringSSL_bn_less_than_words(const uint64_t *a, const uint64_t *b, size_t count);

// As `bn_mod_mul_montgomery_small`, for one modulus.
typedef void (*ledger_multiplication)(uint64_t *product, const uint64_t *a, const uint64_t *b);

#if defined(__linux__) && !defined(__ANDROID__) && defined(__x86_64__)
void CCryptoBoringSSL_ecp_nistz256_mul_mont_adx(uint64_t *product, const uint64_t *a, const uint64_t *b);
void CCryptoBoringSSL_ecp_nistz256_mul_mont_nohw(uint64_t *product, const uint64_t *a, const uint64_t *b);
// What the processor can do, from the leaf 7 of CPUID for 2.
uint32_t CCryptoBoringSSL_OPENSSL_get_ia32cap(int index);
#elif defined(__linux__) && !defined(__ANDROID__) && defined(__aarch64__)
void CCryptoBoringSSL_ecp_nistz256_mul_mont(uint64_t *product, const uint64_t *a, const uint64_t *b);
#endif

// BoringSSL's own multiplication modulo the prime of P-256, which takes half the time of the general one. NULL where there
// is none.
static inline ledger_multiplication ledger_p256_multiplication(void) {
#if defined(__linux__) && !defined(__ANDROID__) && defined(__x86_64__)
    // As BoringSSL chooses: BMI1, BMI2 and ADX.
    const uint32_t needed = 1u << 3 | 1u << 8 | 1u << 19;
    return (CCryptoBoringSSL_OPENSSL_get_ia32cap(2) & needed) == needed
        ? CCryptoBoringSSL_ecp_nistz256_mul_mont_adx
        : CCryptoBoringSSL_ecp_nistz256_mul_mont_nohw;
#elif defined(__linux__) && !defined(__ANDROID__) && defined(__aarch64__)
    return CCryptoBoringSSL_ecp_nistz256_mul_mont;
#else
    return NULL;
#endif
}
#endif

#endif
