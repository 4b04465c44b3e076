// Arithmetic on NIST's curves by the BoringSSL that swift-crypto builds and that every program with it contains.
//
// swift-crypto's interface checks one signature at a time and forgets everything between two. This reaches the additions of
// points below it, so that a verifier can keep the multiples of a key that signed thousands of roots (decision 0016).
// Only public values go through here: nothing of this is meant for private keys.
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

EC_POINT *CCryptoBoringSSL_EC_POINT_new(const EC_GROUP *group);
void CCryptoBoringSSL_EC_POINT_free(EC_POINT *point);
int CCryptoBoringSSL_EC_POINT_copy(EC_POINT *to, const EC_POINT *from);
int CCryptoBoringSSL_EC_POINT_set_to_infinity(const EC_GROUP *group, EC_POINT *point);
int CCryptoBoringSSL_EC_POINT_is_at_infinity(const EC_GROUP *group, const EC_POINT *point);
int CCryptoBoringSSL_EC_POINT_add(
    const EC_GROUP *group, EC_POINT *sum, const EC_POINT *a, const EC_POINT *b, BN_CTX *scratch);
int CCryptoBoringSSL_EC_POINT_dbl(const EC_GROUP *group, EC_POINT *twice, const EC_POINT *a, BN_CTX *scratch);
int CCryptoBoringSSL_EC_POINT_invert(const EC_GROUP *group, EC_POINT *point, BN_CTX *scratch);
int CCryptoBoringSSL_EC_POINT_oct2point(
    const EC_GROUP *group, EC_POINT *point, const uint8_t *bytes, size_t count, BN_CTX *scratch);
int CCryptoBoringSSL_EC_POINT_get_affine_coordinates_GFp(
    const EC_GROUP *group, const EC_POINT *point, BIGNUM *x, BIGNUM *y, BN_CTX *scratch);

BN_CTX *CCryptoBoringSSL_BN_CTX_new(void);
void CCryptoBoringSSL_BN_CTX_free(BN_CTX *context);
void CCryptoBoringSSL_BN_CTX_start(BN_CTX *context);
BIGNUM *CCryptoBoringSSL_BN_CTX_get(BN_CTX *context);
void CCryptoBoringSSL_BN_CTX_end(BN_CTX *context);
BIGNUM *CCryptoBoringSSL_BN_bin2bn(const uint8_t *bytes, size_t count, BIGNUM *number);
int CCryptoBoringSSL_BN_bn2le_padded(uint8_t *bytes, size_t count, const BIGNUM *number);
int CCryptoBoringSSL_BN_is_zero(const BIGNUM *number);
// Less than, equal to or greater than 0, as `a` is to `b`.
int CCryptoBoringSSL_BN_ucmp(const BIGNUM *a, const BIGNUM *b);
int CCryptoBoringSSL_BN_nnmod(BIGNUM *rest, const BIGNUM *a, const BIGNUM *modulus, BN_CTX *scratch);
int CCryptoBoringSSL_BN_mod_inverse_odd(
    BIGNUM *inverse, int *has_none, const BIGNUM *a, const BIGNUM *modulus, BN_CTX *scratch);
BN_MONT_CTX *CCryptoBoringSSL_BN_MONT_CTX_new_for_modulus(const BIGNUM *modulus, BN_CTX *scratch);
int CCryptoBoringSSL_BN_to_montgomery(
    BIGNUM *result, const BIGNUM *a, const BN_MONT_CTX *modulus, BN_CTX *scratch);
int CCryptoBoringSSL_BN_mod_mul_montgomery(
    BIGNUM *product, const BIGNUM *a, const BIGNUM *b, const BN_MONT_CTX *modulus, BN_CTX *scratch);
#endif

#endif
