/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify.h - what the host remembers of the data on one namespace.
 *
 * A pure data structure: CRC32C of every LBA written, the stamps inside the data,
 * what of it survives a loss of power, and LBA locks. 4.5 bytes an LBA, in groups of
 * 1,024 LBAs that take memory only once one of them is written.
 * Several threads may use one table at once; a race of a read and a write on one LBA
 * is the script's responsibility unless locks are on.
 *
 * Stamp: the first 8 bytes of an LBA are its number, the last 8 bytes a token, both
 * little endian. One token counter a process, from 1, one up an LBA.
 *
 * LBAs beyond the end of the namespace are stamped like any other and never recorded.
 */
#ifndef PYNVME_VERIFY_VERIFY_H
#define PYNVME_VERIFY_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verify_table;

/**
 * verify_create() - a table for @nlbas LBAs of @lba_bytes of data
 * Takes address space only; memory is committed for what is written.
 * Errors: -EINVAL (less than 16 bytes an LBA, no LBA), -ENOMEM.
 */
int verify_create(struct verify_table **out, uint64_t nlbas, uint32_t lba_bytes);
void verify_destroy(struct verify_table *t);
uint64_t verify_memory_bytes(const struct verify_table *t);

/* All tables of the process together take no more than this; 0: what the system can spare. */
void verify_limit_memory(uint64_t bytes);
/**
 * verify_memory_check() - can what is written from now on be recorded?
 * Return: 0, or -ENOMEM with a text: a verify_stamp() failed for it, and still would.
 */
int verify_memory_check(void);

/**
 * verify_stamp() - at submission of a write: stamp @nlb LBAs in place and record their CRCs
 * @stride: bytes from one LBA's data to the next (data size, or data + metadata when interleaved)
 *
 * The LBAs are known from here on, and in flight until verify_written(): a read that completes
 * earlier is checked against the new data, a loss of power makes them unknown.
 * Return: 0, -ENOMEM: stamped, but nothing recorded (the LBAs are unknown).
 */
int verify_stamp(struct verify_table *t, void *data, uint64_t slba, uint32_t nlb, uint32_t stride);

/* A write completed. Failed, aborted or cut: the LBAs become unknown. FUA: durable at once. */
void verify_written(struct verify_table *t, uint64_t slba, uint32_t nlb, bool ok, bool fua);

/* Trimmed, zeroed, formatted, sanitized, uncorrectable: nothing to check until written again. */
void verify_unmap(struct verify_table *t, uint64_t slba, uint64_t nlb);

/* A Flush was submitted / completed: what was acknowledged before its submission is durable. */
uint64_t verify_flush_begin(struct verify_table *t);
void verify_flush_end(struct verify_table *t, uint64_t flush, bool ok);
/* Power was lost: acknowledged but not durable LBAs, and all in flight, become unknown. */
void verify_power_lost(struct verify_table *t);

/* The first bad LBA of a read. */
struct verify_miss {
	uint64_t lba;
	uint64_t stamp; /* LBA number found in the data */
	uint64_t token; /* token found in the data */
	uint32_t crc_expected;
	uint32_t crc_got;
	uint32_t bad_lbas; /* of this read, this one included */
};

/**
 * verify_check() - at completion of a read: check every LBA that is known
 * Return: 0 all right, 1 a mismatch (described in @miss).
 */
int verify_check(const struct verify_table *t, const void *data, uint64_t slba, uint32_t nlb,
		 uint32_t stride, struct verify_miss *miss);

/* A hint that stamp or check of these LBAs is near: their part of the table comes closer. */
void verify_prefetch(const struct verify_table *t, uint64_t slba);

/* LBA locks: shared for reads, exclusive for writes; 0, -EBUSY or -ENOMEM (nothing taken). */
int verify_lock(struct verify_table *t, uint64_t slba, uint32_t nlb, bool exclusive);
void verify_unlock(struct verify_table *t, uint64_t slba, uint32_t nlb, bool exclusive);

/**
 * verify_save() - append the table to the file at its current position
 * LBAs that are being written meanwhile may be saved as unknown. Errors: -errno of write().
 */
int verify_save(struct verify_table *t, int fd);

/**
 * verify_load() - replace the table by what verify_save() wrote at the current position
 *
 * The table changes only if all of it is right. The process's tokens go on above the saved ones,
 * so that no stamp is ever given twice.
 * Errors with a text: -EINVAL not one of ours, damaged, or of another size or format of LBA;
 * -ENOMEM; -errno of read() and lseek().
 */
int verify_load(struct verify_table *t, int fd);

#endif
