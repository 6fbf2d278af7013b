/* SPDX-License-Identifier: BSD-3-Clause */
#include "ssd/options.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "spec/nvme.h"
#include "ssd/ssd.h"

enum unit {
	UNIT_BYTES,   /* K M G T, powers of 1024 */
	UNIT_SECONDS, /* a bare number is seconds */
	UNIT_US,      /* a bare number is microseconds */
	UNIT_NUMBER,
	UNIT_CHOICE, /* one of .choices */
	UNIT_TEXT,
};

struct option {
	const char *key;
	enum unit unit;
	size_t offset;
	const char *def;
	uint64_t min;
	uint64_t max;
	const char *choices; /* "name=value name=value" */
	const char *help;
};

#define NS_PER_S 1000000000ull
#define KIB	 1024ull
#define MIB	 (1024 * KIB)
#define TIB	 (1024ull * 1024 * MIB)
#define OPT(key, unit, field, def, min, max, help)                                        \
	{                                                                                 \
		key, unit, offsetof(struct ssd_options, field), def, min, max, NULL, help \
	}
#define CHOICE(key, field, def, choices, help)                                                  \
	{                                                                                       \
		key, UNIT_CHOICE, offsetof(struct ssd_options, field), def, 0, 0, choices, help \
	}

static const struct option options[] = {
	OPT("size", UNIT_BYTES, size_bytes, "21474963456", MIB, 16 * TIB,
	    "capacity of namespace 1"),
	CHOICE("lba", lba_bytes, "512", "512=512 4096=4096 4K=4096", "LBA size at first"),
	CHOICE("ms", ms_bytes, "0", "0=0 8=8 16=16 64=64",
	       "metadata formats: adds formats with this many bytes an LBA; PI with them"),
	OPT("ns", UNIT_NUMBER, ns, "1", 1, 32, "namespaces, of equal size"),
	OPT("mdts", UNIT_BYTES, mdts_bytes, "128K", 0, 64 * MIB,
	    "largest transfer, a power of two, 8K or more; 0: no limit"),
	CHOICE("vs", version, "1.3", "1.3=0x10300 1.4=0x10400 2.0=0x20000", "version claimed"),
	OPT("ioqueues", UNIT_NUMBER, ioqueues, "32", 1, 63, "IO submission and completion queues"),
	OPT("mqes", UNIT_NUMBER, mqes, "1024", 2, 65536, "entries a queue"),
	OPT("aerl", UNIT_NUMBER, aerl, "3", 0, 15, "Async Event Request limit, zero based"),
	OPT("fuses", UNIT_NUMBER, fuses, "0", 0, 1, "1: fused Compare and Write"),
	OPT("to_s", UNIT_SECONDS, to_ns, "10", NS_PER_S / 2, 127 * NS_PER_S, "CAP.TO"),
	OPT("enable_s", UNIT_SECONDS, enable_ns, "0", 0, 120 * NS_PER_S, "from CC.EN to CSTS.RDY"),
	OPT("shutdown_s", UNIT_SECONDS, shutdown_ns, "0.01", 0, 120 * NS_PER_S,
	    "time that an orderly shutdown takes"),
	OPT("hmpre", UNIT_BYTES, hmpre_bytes, "0", 0, 1024 * MIB,
	    "preferred host memory buffer, 0: none"),
	OPT("vid", UNIT_NUMBER, vid, "0x1b36", 1, 0xfffe, "PCI vendor"),
	OPT("sn", UNIT_TEXT, sn, "SIM0000000000001", 1, 20, "serial number"),
	OPT("mn", UNIT_TEXT, mn, "pynvme software SSD", 1, 40, "model number"),
	OPT("fr", UNIT_TEXT, fr, "1.0", 1, 8, "firmware revision"),
	CHOICE("media", media, "ram", "ram=0 file=1 null=2",
	       "ram: thin memory; file: see file=; null: stores and moves nothing"),
	OPT("file", UNIT_TEXT, file, "", 0, SSD_STRING_MAX - 1,
	    "path of a file that keeps the data (media=file), opened exclusively"),
	OPT("mem", UNIT_BYTES, mem_bytes, "0", 0, 1024 * TIB,
	    "memory of ram media before it spills to an unlinked file; 0: half of what is available"),
	OPT("cache", UNIT_BYTES, cache_bytes, "16M", 0, 1024 * MIB,
	    "volatile write cache, destaged in order beyond that; 0: no cache"),
	OPT("awupf", UNIT_NUMBER, awupf, "7", 0, 255,
	    "LBAs written atomically at power fail, zero based"),
	CHOICE("latency", latency, "fast", "fast=0 none=1", "none: complete at once"),
	OPT("read_us", UNIT_US, read_ns, "20", 0, 10 * NS_PER_S, "read of mapped LBAs"),
	OPT("unmapped_us", UNIT_US, unmapped_ns, "8", 0, 10 * NS_PER_S, "read of unmapped LBAs"),
	OPT("write_us", UNIT_US, write_ns, "12", 0, 10 * NS_PER_S, "cached write"),
	OPT("fua_us", UNIT_US, fua_ns, "40", 0, 10 * NS_PER_S, "added by FUA, and a flush"),
	OPT("jitter", UNIT_NUMBER, jitter_percent, "10", 0, 100, "per cent of spread"),
	OPT("tail_us", UNIT_US, tail_ns, "200", 0, 10 * NS_PER_S, "worst latency added, rare"),
	OPT("erase_s", UNIT_SECONDS, erase_ns, "6", 0, 3600 * NS_PER_S,
	    "Format with user data erase"),
	OPT("dst_s", UNIT_SECONDS, dst_ns, "2", 0, 3600 * NS_PER_S, "short self-test"),
	OPT("dst_extended_s", UNIT_SECONDS, dst_extended_ns, "4", 0, 3600 * NS_PER_S,
	    "extended self-test"),
	OPT("sanitize_s", UNIT_SECONDS, sanitize_ns, "2", 0, 3600 * NS_PER_S, "sanitize"),
	OPT("temp", UNIT_NUMBER, temperature_kelvin, "308", 1, 1000, "temperature, Kelvin"),
	OPT("seed", UNIT_NUMBER, seed, "1", 0, UINT64_MAX, "of every random choice of the drive"),
	CHOICE("thread", thread_always, "auto", "auto=0 always=1",
	       "always: a device thread does all the work"),
};

#define NOPTIONS (sizeof(options) / sizeof(options[0]))

static const char *const unit_names[] = {
	[UNIT_BYTES] = "bytes (K M G T)",
	[UNIT_SECONDS] = "seconds (s ms us)",
	[UNIT_US] = "microseconds (s ms us)",
	[UNIT_NUMBER] = "number",
	[UNIT_CHOICE] = "one of",
	[UNIT_TEXT] = "text",
};

static int known_keys(char *buf, size_t len)
{
	size_t at = 0;

	buf[0] = 0;
	for (size_t i = 0; i < NOPTIONS && at < len; i++)
		at += snprintf(buf + at, len - at, "%s%s", i ? " " : "", options[i].key);
	return 0;
}

/* Decimal with an optional fraction, times @scale. */
static int parse_scaled(const char *text, const char *suffixes, const double *scales, double bare,
			double *out)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || !isfinite(v) || v < 0)
		return -EINVAL;
	if (!*end) {
		*out = v * bare;
		return 0;
	}
	for (int i = 0; *suffixes; i++) {
		size_t n = strlen(suffixes);

		if (!strcmp(end, suffixes)) {
			*out = v * scales[i];
			return 0;
		}
		suffixes += n + 1;
	}
	return -EINVAL;
}

static int parse_number(const char *text, uint64_t *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoull(text, &end, 0);
	return *end || errno ? -EINVAL : 0;
}

static int parse_choice(const struct option *o, const char *text, uint64_t *out)
{
	size_t n = strlen(text);

	for (const char *p = o->choices; *p;) {
		size_t name = strcspn(p, "=");

		if (name == n && !strncmp(p, text, n)) {
			*out = strtoull(p + name + 1, NULL, 0);
			return 0;
		}
		p += strcspn(p, " ");
		p += *p == ' ';
	}
	return -EINVAL;
}

static int parse_value(const struct option *o, const char *text, uint64_t *out)
{
	static const double time_scales[] = { 1e9, 1e6, 1e3, 1 };
	static const double byte_scales[] = { KIB, MIB, 1024.0 * MIB, TIB };
	double v;
	int rc;

	if (o->unit == UNIT_NUMBER)
		return parse_number(text, out);
	if (o->unit == UNIT_CHOICE)
		return parse_choice(o, text, out);
	if (o->unit == UNIT_BYTES && !parse_number(text, out))
		return 0;
	if (o->unit == UNIT_BYTES)
		rc = parse_scaled(text, "K\0M\0G\0T\0", byte_scales, 1, &v);
	else
		rc = parse_scaled(text, "s\0ms\0us\0ns\0", time_scales,
				  o->unit == UNIT_US ? 1e3 : 1e9, &v);
	if (rc || v >= 1.8e19)
		return -EINVAL;
	*out = (uint64_t)(v + 0.5);
	return 0;
}

static int set_option(struct ssd_options *opts, const struct option *o, const char *text)
{
	void *field = (char *)opts + o->offset;
	uint64_t v;

	if (o->unit == UNIT_TEXT) {
		size_t n = strlen(text);

		if (n < o->min || n > o->max)
			return err_set(-EINVAL, "sim: %s=%s: %llu to %llu characters, please",
				       o->key, text, (unsigned long long)o->min,
				       (unsigned long long)o->max);
		memcpy(field, text, n + 1);
		return 0;
	}
	if (parse_value(o, text, &v))
		return err_set(-EINVAL, "sim: %s=%s: not %s%s%s", o->key, text, unit_names[o->unit],
			       o->choices ? " " : "", o->choices ? o->choices : "");
	if (o->unit != UNIT_CHOICE && (v < o->min || v > o->max))
		return err_set(-EINVAL, "sim: %s=%s: out of range %llu to %llu (%s)", o->key, text,
			       (unsigned long long)o->min, (unsigned long long)o->max,
			       o->unit == UNIT_SECONDS || o->unit == UNIT_US ? "ns" :
									       unit_names[o->unit]);
	memcpy(field, &v, sizeof(v));
	return 0;
}

static int set_pair(struct ssd_options *opts, char *pair)
{
	char *eq = strchr(pair, '=');
	char known[1024];

	if (eq)
		*eq = 0;
	for (size_t i = 0; i < NOPTIONS; i++) {
		if (strcmp(options[i].key, pair))
			continue;
		if (!eq)
			return err_set(-EINVAL, "sim: option %s wants a value: %s=...", pair, pair);
		return set_option(opts, &options[i], eq + 1);
	}
	known_keys(known, sizeof(known));
	return err_set(-EINVAL, "sim: unknown option '%s'; known are: %s", pair, known);
}

/* What no single option can be wrong about alone. */
static int check_together(struct ssd_options *opts)
{
	/* Identify has 2^MDTS pages, and MDTS 0 is no limit: one page cannot be said */
	if (opts->mdts_bytes &&
	    (opts->mdts_bytes < 8 * KIB || opts->mdts_bytes & (opts->mdts_bytes - 1)))
		return err_set(-EINVAL,
			       "sim: mdts=%llu: not a power of two of 8192 bytes or more, nor 0",
			       (unsigned long long)opts->mdts_bytes);
	if (opts->size_bytes % 4096)
		return err_set(-EINVAL, "sim: size=%llu: not a multiple of 4096 bytes",
			       (unsigned long long)opts->size_bytes);
	if (opts->file[0])
		opts->media = SSD_MEDIA_FILE;
	if (opts->media == SSD_MEDIA_FILE && !opts->file[0])
		return err_set(-EINVAL, "sim: media=file wants file=PATH");
	return 0;
}

int ssd_options_parse(struct ssd_options *opts, const char *text)
{
	char *copy, *save = NULL;
	int rc = 0;

	*opts = (struct ssd_options){ 0 };
	for (size_t i = 0; i < NOPTIONS && !rc; i++)
		if (options[i].unit != UNIT_TEXT || options[i].def[0])
			rc = set_option(opts, &options[i], options[i].def);
	if (rc)
		return rc;
	copy = strdup(text ? text : "");
	if (!copy)
		return err_set(-ENOMEM, "sim: no memory for the options");
	for (char *pair = strtok_r(copy, ",", &save); pair && !rc;
	     pair = strtok_r(NULL, ",", &save))
		rc = set_pair(opts, pair);
	free(copy);
	return rc ? rc : check_together(opts);
}

const char *ssd_options_help(void)
{
	static char text[8192];
	size_t at = 0;

	for (size_t i = 0; i < NOPTIONS && at < sizeof(text); i++) {
		const struct option *o = &options[i];

		at += snprintf(text + at, sizeof(text) - at,
			       "  %-16s %s%s%s; default %s\n      %s\n", o->key,
			       unit_names[o->unit], o->choices ? " " : "",
			       o->choices ? o->choices : "", o->def[0] ? o->def : "none", o->help);
	}
	return text;
}
