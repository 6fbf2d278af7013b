/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvme/tcp/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "nvme/tcp/hostid.h"

#define DIGITS	   "0123456789"
#define HOST_CHARS DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_"
#define SPDK	   "trtype:"
#define SPACE	   " \t\r\n"
#define HEX	   "0123456789abcdef"

static bool is_spdk(const char *text)
{
	return !strncasecmp(text, SPDK, strlen(SPDK)) || !strncasecmp(text, "traddr:", 7);
}

/* Two digits are a PCI device, as in 01:00. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, DIGITS);

	return digits >= 3 && digits <= 5 && (!text[digits] || strchr("/?", text[digits]));
}

bool nvme_tcp_address_is(const char *text)
{
	size_t host = strspn(text, HOST_CHARS);

	if (*text == '[')
		return true;
	if (is_spdk(text))
		return strncasecmp(text, SPDK "tcp", strlen(SPDK) + 3) == 0 ||
		       strncasecmp(text, "traddr:", 7) == 0;
	if (!host)
		return false;
	if (text[host] == ':')
		return is_port(text + host + 1);
	if (text[host] == '/' || text[host] == '?')
		return text[host] == '?' || !strncmp(text + host, "/nqn.", 5);
	/* A word alone is more likely a mistake than a machine. */
	return !text[host] && (!strcmp(text, "localhost") || memchr(text, '.', host));
}

/* --- options --- */

static int copy(char *to, size_t room, const char *name, const char *from, size_t len)
{
	if (len >= room)
		return err_set(-EINVAL, "%s has at most %zu characters", name, room - 1);
	if (!len)
		return err_set(-EINVAL, "%s is empty", name);
	/* The whole field goes over the wire: nothing of what was there before may stay. */
	memset(to, 0, room);
	memcpy(to, from, len);
	return 0;
}

static int digit(char c)
{
	const char *at = c ? strchr(HEX, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - HEX) : -1;
}

/* %26 becomes &, as in every URL. What is left of @text is never longer than it was. */
static int unquote(const char *name, char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		int high, low;

		if (*at != '%') {
			*to++ = *at;
			continue;
		}
		high = digit(at[1]);
		low = high < 0 ? -1 : digit(at[2]);
		if (low < 0 || !(high | low))
			return err_set(
				-EINVAL,
				"%s: two hexadecimal digits follow a %%, not \"%.20s\"; a %% itself is %%25",
				name, at + 1);
		*to++ = (char)(high << 4 | low);
		at += 2;
	}
	*to = '\0';
	return 0;
}

/* The opposite: %, and whatever of @special is in @from. Return: bytes, as snprintf(). */
static size_t quote(char *text, size_t len, const char *from, const char *special)
{
	size_t n = 0;

	for (; *from; from++) {
		char *to = text + (n < len ? n : len);
		size_t left = n < len ? len - n : 0;
		bool plain = *from != '%' && !strchr(special, *from);

		n += (size_t)snprintf(to, left, plain ? "%c" : "%%%02X", (unsigned char)*from);
	}
	return n;
}

static int set_number(uint32_t *to, const char *name, const char *text, uint32_t max)
{
	char *end;
	unsigned long value;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || value > max)
		return err_set(-EINVAL, "%s is a number of 0 to %u, not \"%s\"", name, max, text);
	*to = (uint32_t)value;
	return 0;
}

static int set_flag(bool *to, const char *name, const char *text)
{
	uint32_t value = 0;
	int err = set_number(&value, name, text, 1);

	if (!err)
		*to = value;
	return err;
}

static int set_port(struct nvme_tcp_address *out, const char *name, const char *text)
{
	uint32_t port = 0;
	int err = set_number(&port, name, text, 65535);

	if (!err && !port)
		err = err_set(-EINVAL, "%s 0 is no port", name);
	if (!err)
		snprintf(out->port, sizeof(out->port), "%u", port);
	return err;
}

static int set_nqn(char *to, const char *name, const char *text)
{
	if (strncmp(text, "nqn.", 4) != 0)
		return err_set(-EINVAL, "%s begins with nqn., not \"%.40s\"", name, text);
	return copy(to, NVME_NQN_MAX + 1, name, text, strlen(text));
}

static int set_hostid(struct nvme_tcp_address *out, const char *text)
{
	if (nvme_tcp_uuid_parse(out->hostid, text))
		return 0;
	return err_set(-EINVAL, "hostid is a UUID of 32 hexadecimal digits, not \"%.40s\"", text);
}

static int set_option(struct nvme_tcp_address *out, const char *name, const char *text)
{
	if (!strcmp(name, "hostnqn"))
		return set_nqn(out->hostnqn, name, text);
	if (!strcmp(name, "hostid"))
		return set_hostid(out, text);
	if (!strcmp(name, "hdgst"))
		return set_flag(&out->hdgst, name, text);
	if (!strcmp(name, "ddgst"))
		return set_flag(&out->ddgst, name, text);
	if (!strcmp(name, "kato_s"))
		return set_number(&out->kato_s, name, text, UINT32_MAX / 1000);
	if (!strcmp(name, "timeout_s")) {
		int err = set_number(&out->timeout_s, name, text, 3600);

		return !err && !out->timeout_s ? err_set(-EINVAL, "timeout_s is at least 1") : err;
	}
	if (!strcmp(name, "queue_size"))
		return set_number(&out->queue_size, name, text, 65536);
	if (!strcmp(name, "nr_io_queues"))
		return set_number(&out->nr_io_queues, name, text, 65535);
	return err_set(-EINVAL,
		       "no option is called \"%.40s\": hostnqn, hostid, hdgst, ddgst, kato_s, "
		       "timeout_s, queue_size, nr_io_queues are",
		       name);
}

/* Whether @field of the last form is what @name says, else it is an option. */
static int set_spdk(struct nvme_tcp_address *out, const char *name, const char *text)
{
	if (!strcasecmp(name, "trtype"))
		return strcasecmp(text, "tcp") ?
			       err_set(-EINVAL, "trtype %.20s: only TCP is supported here", text) :
			       0;
	if (!strcasecmp(name, "adrfam"))
		return strcasecmp(text, "ipv4") && strcasecmp(text, "ipv6") ?
			       err_set(-EINVAL, "adrfam is IPv4 or IPv6, not %.20s", text) :
			       0;
	if (!strcasecmp(name, "traddr"))
		return copy(out->host, sizeof(out->host), name, text, strlen(text));
	if (!strcasecmp(name, "trsvcid"))
		return set_port(out, name, text);
	if (!strcasecmp(name, "subnqn"))
		return set_nqn(out->subnqn, name, text);
	return set_option(out, name, text);
}

typedef int setter(struct nvme_tcp_address *out, const char *name, const char *text);

/*
 * "name=value&name=value", or with spaces and colons. In the former a value is quoted as in a URL;
 * in the latter, SPDK's, nothing is.
 */
static int set_all(struct nvme_tcp_address *out, const char *text, char is, const char *between,
		   setter *set)
{
	char pair[1024], *value;
	int err = 0;

	for (text += strspn(text, between); *text && !err; text += strspn(text, between)) {
		size_t len = strcspn(text, between);

		err = copy(pair, sizeof(pair), "an option", text, len);
		value = err ? NULL : strchr(pair, is);
		if (!err && !value)
			err = err_set(-EINVAL, "\"%.40s\" has no value: name%cvalue%s", pair, is,
				      is == '=' ? "; a & within a value is %26" : "");
		if (err)
			break;
		*value++ = '\0';
		err = is == '=' ? unquote(pair, value) : 0;
		if (!err)
			err = set(out, pair, value);
		text += len;
	}
	return err;
}

int nvme_tcp_address_options(struct nvme_tcp_address *out, const char *options)
{
	return set_all(out, options, '=', "&", set_option);
}

/* --- the forms --- */

static int parse_host(struct nvme_tcp_address *out, const char **text)
{
	const char *at = *text;
	size_t len;
	int err;

	if (*at == '[') {
		len = strcspn(++at, "]");
		if (!at[len])
			return err_set(-EINVAL, "no ] behind the address of the host");
		*text = at + len + 1;
	} else {
		len = strspn(at, HOST_CHARS);
		*text = at + len;
	}
	err = copy(out->host, sizeof(out->host), "the name of a host", at, len);
	return err;
}

static int parse_short(struct nvme_tcp_address *out, const char *text)
{
	char part[1024];
	int err = parse_host(out, &text);

	if (!err && *text == ':') {
		size_t len = strcspn(++text, "/?");

		err = copy(part, sizeof(part), "a port", text, len);
		if (!err)
			err = set_port(out, "a port", part);
		text += len;
	}
	if (!err && *text == '/') {
		size_t len = strcspn(++text, "?");

		err = copy(part, sizeof(part), "an NQN", text, len);
		if (!err)
			err = unquote("an NQN", part);
		if (!err)
			err = set_nqn(out->subnqn, "an NQN", part);
		text += len;
	}
	if (!err && *text == '?')
		err = nvme_tcp_address_options(out, text + 1);
	else if (!err && *text)
		err = err_set(-EINVAL, "what is \"%.40s\"?", text);
	return err;
}

int nvme_tcp_address_parse(struct nvme_tcp_address *out, const char *text)
{
	int err;

	*out = (struct nvme_tcp_address){ .kato_s = NVME_TCP_KATO_S_DEFAULT,
					  .timeout_s = NVME_TCP_TIMEOUT_S_DEFAULT };
	snprintf(out->port, sizeof(out->port), "%u", NVME_TCP_PORT);
	nvme_tcp_hostid_default(out->hostid, out->hostnqn, sizeof(out->hostnqn));
	err = is_spdk(text) ? set_all(out, text, ':', SPACE, set_spdk) : parse_short(out, text);
	if (!err && !*out->host)
		err = err_set(-EINVAL, "no traddr: which host?");
	if (err)
		err_add("%.200s", text);
	return err;
}

void nvme_tcp_address_format(const struct nvme_tcp_address *address, char *text, size_t len)
{
	bool v6 = strchr(address->host, ':');

	size_t n = (size_t)snprintf(text, len, "%s%s%s:%s%s", v6 ? "[" : "", address->host,
				    v6 ? "]" : "", address->port, *address->subnqn ? "/" : "");

	if (n < len)
		quote(text + n, len - n, address->subnqn, "?");
}

void nvme_tcp_address_options_format(const struct nvme_tcp_address *address, char *text, size_t len)
{
	size_t n = (size_t)snprintf(text, len, "hdgst=%d&ddgst=%d&kato_s=0&timeout_s=%u&hostid=",
				    address->hdgst, address->ddgst, address->timeout_s);

	for (unsigned int i = 0; i < sizeof(address->hostid) && n < len; i++)
		n += (size_t)snprintf(text + n, len - n, "%02x", address->hostid[i]);
	if (n < len)
		n += (size_t)snprintf(text + n, len - n, "&hostnqn=");
	if (n < len)
		quote(text + n, len - n, address->hostnqn, "&");
}
