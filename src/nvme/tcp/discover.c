/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvme/tcp/discover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/log.h"
#include "nvme/cmd.h"

#define PIECE_BYTES   4096u
#define ENTRIES_MAX   4096u
#define REFERRALS_MAX 16u
#define TRIES	      4u /* while the log changes under our eyes */

/* The admin queue is all that a discovery controller has. */
static int init(struct nvme_ctrl *ctrl, void *priv)
{
	int err = nvme_ctrl_setup_adminq(ctrl);

	if (!err)
		err = nvme_ctrl_enable(ctrl, 0);
	if (!err)
		err = nvme_ctrl_wait_ready(ctrl, true);
	return err;
}

static int read_log(struct nvme_ctrl *ctrl, void *to, uint64_t offset, uint32_t bytes)
{
	struct nvme_req req = { 0 };
	uint32_t numd = bytes / 4 - 1;
	const uint32_t cdws[6] = { (uint32_t)(NVME_LOG_DISCOVERY |
					      NVME_SET(numd & 0xffff, LOG_NUMDL)),
				   numd >> 16, (uint32_t)offset, (uint32_t)(offset >> 32) };

	nvme_cmd_raw(&req, NVME_ADMIN_GET_LOG_PAGE, NVME_NSID_NONE, to, bytes, cdws);
	return nvme_admin_must(ctrl, &req, 0, "Get Log Page, discovery");
}

static int read_entries(struct nvme_ctrl *ctrl, struct nvme_discovery_entry *entry, size_t n)
{
	uint64_t bytes = n * sizeof(*entry);
	int err = 0;

	for (uint64_t at = 0; at < bytes && !err; at += PIECE_BYTES) {
		uint32_t piece = (uint32_t)(bytes - at < PIECE_BYTES ? bytes - at : PIECE_BYTES);

		err = read_log(ctrl, (uint8_t *)entry + at, sizeof(struct nvme_discovery_log) + at,
			       piece);
	}
	return err;
}

/* A log that is the same before and after. */
static int read_all(struct nvme_ctrl *ctrl, struct nvme_tcp_log *log)
{
	struct nvme_discovery_log before, after;
	int err = -EBUSY;

	for (unsigned int i = 0; i < TRIES; i++) {
		free(log->entry);
		*log = (struct nvme_tcp_log){ 0 };
		err = read_log(ctrl, &before, 0, sizeof(before));
		if (err)
			return err;
		if (before.numrec > ENTRIES_MAX)
			return err_set(-EPROTO, "a discovery log of %llu entries",
				       (unsigned long long)before.numrec);
		log->n = before.numrec;
		log->entry = calloc(log->n + 1, sizeof(*log->entry));
		if (!log->entry)
			return err_set(-ENOMEM, "no memory for a discovery log");
		err = read_entries(ctrl, log->entry, log->n);
		if (!err)
			err = read_log(ctrl, &after, 0, sizeof(after));
		if (err || after.genctr == before.genctr)
			return err;
	}
	return err_set(-EBUSY, "the discovery log changes all the time");
}

static int discover_once(struct nvme_tcp_log *log, const struct nvme_tcp_address *target,
			 const struct nvme_ctrl_opts *opts)
{
	struct nvme_ctrl_opts mine = { .init = init };
	struct nvme_tcp_address service = *target;
	struct nvme_ctrl *ctrl = NULL;
	char addr[1100], options[1000], why[ERR_TEXT_BYTES];
	int err;

	*log = (struct nvme_tcp_log){ 0 };
	snprintf(service.subnqn, sizeof(service.subnqn), NVME_DISCOVERY_NQN);
	nvme_tcp_address_format(&service, addr, sizeof(addr));
	/* What else the address says counts here, too. */
	nvme_tcp_address_options_format(target, options, sizeof(options));
	mine.fabric = options;
	err = nvme_ctrl_open(&ctrl, addr, &mine);
	if (!err)
		err = read_all(ctrl, log);
	snprintf(why, sizeof(why), "%s", err_text());
	nvme_ctrl_put(ctrl);
	if (err) {
		free(log->entry);
		*log = (struct nvme_tcp_log){ 0 };
		return err_set(err, "%s", why);
	}
	return 0;
}

void nvme_tcp_log_text(char *text, const char *field, size_t len)
{
	len = strnlen(field, len);
	while (len && field[len - 1] == ' ')
		len--;
	memcpy(text, field, len);
	text[len] = '\0';
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	int port = digits && digits <= 5 && !text[digits] ? atoi(text) : 0;

	return port > 0 && port <= 65535;
}

/* A name or a number, and nothing else that an address could have behind it. */
static bool is_host(const struct nvme_tcp_address *target, const char *text)
{
	return strlen(text) < sizeof(target->host) &&
	       !text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:%")];
}

/* The interface of a link-local address is known to whoever found it, not to its target. */
static void set_host(struct nvme_tcp_address *target, const char *host)
{
	char scope[sizeof(target->host)] = "";
	const char *at = strchr(target->host, '%');

	if (at && !strncasecmp(host, "fe80:", 5) && !strchr(host, '%'))
		strcpy(scope, at);
	snprintf(target->host, sizeof(target->host), "%s%.32s", host, scope);
}

bool nvme_tcp_lead(struct nvme_tcp_address *target, const struct nvme_discovery_entry *entry)
{
	char host[257], port[33], nqn[257];

	nvme_tcp_log_text(host, entry->traddr, sizeof(entry->traddr));
	nvme_tcp_log_text(port, entry->trsvcid, sizeof(entry->trsvcid));
	nvme_tcp_log_text(nqn, entry->subnqn, sizeof(entry->subnqn));
	if (entry->trtype != NVME_TRTYPE_TCP || !is_port(port) || !is_host(target, host) || !*nqn ||
	    strlen(nqn) > NVME_NQN_MAX)
		return false;
	/* A target that does not know its own address is where it was found. */
	if (*host && strcmp(host, "0.0.0.0") && strcmp(host, "::"))
		set_host(target, host);
	strcpy(target->port, port);
	/* All of the field goes over the wire. */
	memset(target->subnqn, 0, sizeof(target->subnqn));
	strcpy(target->subnqn, nqn);
	return true;
}

/* Put @more in the place of entry @i. */
static int replace(struct nvme_tcp_log *log, size_t i, const struct nvme_tcp_log *more)
{
	size_t n = log->n - 1 + more->n;
	struct nvme_discovery_entry *entry = calloc(n + 1, sizeof(*entry));

	if (!entry)
		return err_set(-ENOMEM, "no memory for a discovery log");
	memcpy(entry, log->entry, i * sizeof(*entry));
	if (more->n)
		memcpy(entry + i, more->entry, more->n * sizeof(*entry));
	memcpy(entry + i + more->n, log->entry + i + 1, (log->n - i - 1) * sizeof(*entry));
	free(log->entry);
	*log = (struct nvme_tcp_log){ entry, n };
	return 0;
}

static int follow(struct nvme_tcp_log *log, const struct nvme_tcp_address *from,
		  const struct nvme_ctrl_opts *opts)
{
	struct nvme_tcp_address target;
	struct nvme_tcp_log more;
	unsigned int followed = 0;
	int err = 0;

	for (size_t i = 0; i < log->n && !err;) {
		target = *from;
		if (log->entry[i].subtype != NVME_SUBTYPE_REFERRAL ||
		    !nvme_tcp_lead(&target, &log->entry[i])) {
			i++;
			continue;
		}
		if (followed++ == REFERRALS_MAX) {
			log_warn("%s: of its referrals only the first %u are followed", from->host,
				 REFERRALS_MAX);
			break;
		}
		err = discover_once(&more, &target, opts);
		if (err == -EINTR || err == -ENOMEM)
			return err;
		if (err) {
			log_warn("a referral leads nowhere: %s", err_text());
			err = 0;
			i++;
			continue;
		}
		err = replace(log, i, &more);
		/* Referrals of a referral stay what they are. */
		i += more.n;
		free(more.entry);
	}
	return err;
}

static int discover(struct nvme_tcp_log *log, const struct nvme_tcp_address *target,
		    const struct nvme_ctrl_opts *opts)
{
	int err = discover_once(log, target, opts);

	if (!err)
		err = follow(log, target, opts);
	if (err) {
		free(log->entry);
		*log = (struct nvme_tcp_log){ 0 };
	}
	return err;
}

int nvme_tcp_discover(struct nvme_tcp_log *log, const char *addr, const struct nvme_ctrl_opts *opts)
{
	struct nvme_tcp_address target;
	int err;

	*log = (struct nvme_tcp_log){ 0 };
	if (!nvme_tcp_address_is(addr))
		return err_set(-EINVAL, "\"%.200s\" is no address of an NVMe/TCP target: host:4420",
			       addr);
	err = nvme_tcp_address_parse(&target, addr);
	if (!err && opts->fabric)
		err = nvme_tcp_address_options(&target, opts->fabric);
	return err ? err : discover(log, &target, opts);
}

/* Among the entries of a subsystem, the address that is known to work is the best. */
static const struct nvme_discovery_entry *choose(const struct nvme_tcp_log *log,
						 const struct nvme_tcp_address *from)
{
	const struct nvme_discovery_entry *first = NULL;
	struct nvme_tcp_address at;

	for (size_t i = 0; i < log->n; i++) {
		const struct nvme_discovery_entry *entry = &log->entry[i];

		at = *from;
		if (entry->subtype != NVME_SUBTYPE_NVM || !nvme_tcp_lead(&at, entry))
			continue;
		if (first && memcmp(first->subnqn, entry->subnqn, sizeof(entry->subnqn)) != 0)
			continue;
		if (!first)
			first = entry;
		if (!strcmp(at.host, from->host) && !strcmp(at.port, from->port))
			return entry;
	}
	return first;
}

int nvme_tcp_find_subsystem(struct nvme_tcp_address *target, const struct nvme_ctrl_opts *opts)
{
	const struct nvme_discovery_entry *entry;
	struct nvme_tcp_log log;
	int err = discover(&log, target, opts);

	if (err)
		return err;
	entry = choose(&log, target);
	if (entry)
		nvme_tcp_lead(target, entry);
	else
		err = err_set(-ENOENT,
			      "%s:%s: no NVM subsystem over TCP among the %zu entries of its "
			      "discovery log",
			      target->host, target->port, log.n);
	free(log.entry);
	return err;
}
