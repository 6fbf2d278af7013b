/*
 * Ground rules of every wire structure in this folder: little-endian fields in plain integers,
 * natural alignment unless the standard breaks it, sizes proved at compile time.
 */
#ifndef SPEC_WIRE_H
#define SPEC_WIRE_H

#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "wire structures are plain little-endian integers: a big-endian host needs conversions"
#endif

#define WIRE_PACKED __attribute__((packed))

/** WIRE_SIZE() - prove that @type takes exactly @bytes on the wire. */
#define WIRE_SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), "size of " #type)

/** WIRE_OFFSET() - prove where @field of @type lies. */
#define WIRE_OFFSET(type, field, bytes) \
	_Static_assert(offsetof(type, field) == (bytes), "offset of " #type "." #field)

/**
 * NVME_GET() - extract a bit field, for example NVME_GET(cap, CAP_MQES).
 * @v:	   register, dword or byte
 * @field: field name without the NVME_ in front; has a _SHIFT and an unshifted _MASK
 */
#define NVME_GET(v, field) (((v) >> NVME_##field##_SHIFT) & NVME_##field##_MASK)

/** NVME_SET() - put @v in its place as bit field @field; a uint64_t to be ORed. */
#define NVME_SET(v, field) (((uint64_t)(v)&NVME_##field##_MASK) << NVME_##field##_SHIFT)

/** NVME_FIELD_MASK() - the bits that @field takes, in place. */
#define NVME_FIELD_MASK(field) ((uint64_t)NVME_##field##_MASK << NVME_##field##_SHIFT)

#endif
