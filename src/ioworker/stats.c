/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.c - what a worker counts: commands and latencies by opcode, commands by second.
 */
#include "ioworker/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define SECOND_NS    UINT64_C(1000000000)
/* Room for seconds, where the length of the run is not known, grows in these steps. */
#define ROOM_SECONDS 3600u

int stats_init(struct stats *s, uint32_t nops, uint64_t seconds, bool per_second, uint64_t nrecent)
{
	memset(s, 0, sizeof(*s));
	s->nops = nops;
	s->nrecent = nrecent;
	s->last_second = seconds ? seconds - 1 : UINT64_MAX;
	s->room = seconds ? seconds : ROOM_SECONDS;
	s->ops = calloc(nops, sizeof(*s->ops));
	if (per_second)
		s->per_second = calloc(s->room, sizeof(*s->per_second));
	if (nrecent)
		s->recent = calloc(nrecent, sizeof(*s->recent));
	if (!s->ops || (per_second && !s->per_second) || (nrecent && !s->recent)) {
		stats_fini(s);
		return err_set(-ENOMEM, "no memory for statistics");
	}
	for (uint32_t i = 0; i < nops; i++)
		hist_init(&s->ops[i].latency);
	return 0;
}

void stats_fini(struct stats *s)
{
	free(s->ops);
	free(s->per_second);
	free(s->recent);
	memset(s, 0, sizeof(*s));
}

void stats_start(struct stats *s, uint64_t start_ns)
{
	s->start_ns = start_ns;
	s->second = 0;
	s->second_count = 0;
	s->second_end_ns = s->last_second ? start_ns + SECOND_NS : UINT64_MAX;
}

/* False: no memory, the seconds from here on are lost. */
static bool grow(struct stats *s)
{
	uint64_t room = s->second + ROOM_SECONDS;
	uint64_t *more = realloc(s->per_second, room * sizeof(*more));

	if (!more)
		return false;
	memset(more + s->room, 0, (room - s->room) * sizeof(*more));
	s->per_second = more;
	s->room = room;
	return true;
}

void stats_stop(struct stats *s)
{
	if (s->per_second && (s->second < s->room || grow(s)))
		s->per_second[s->second] += s->second_count;
	s->second_count = 0;
}

void stats_turn(struct stats *s, uint64_t now_ns)
{
	stats_stop(s);
	s->second = (now_ns - s->start_ns) / SECOND_NS;
	if (s->second >= s->last_second) {
		s->second = s->last_second;
		s->second_end_ns = UINT64_MAX;
	} else {
		s->second_end_ns = s->start_ns + (s->second + 1) * SECOND_NS;
	}
}

uint64_t stats_nrecent(const struct stats *s)
{
	return s->recent_at < s->nrecent ? s->recent_at : s->nrecent;
}

const struct stats_recent *stats_get_recent(const struct stats *s, uint64_t i)
{
	return &s->recent[(s->recent_at - stats_nrecent(s) + i) % s->nrecent];
}

void stats_latency(const struct stats *s, struct hist *out)
{
	hist_init(out);
	for (uint32_t i = 0; i < s->nops; i++)
		hist_merge(out, &s->ops[i].latency);
}
