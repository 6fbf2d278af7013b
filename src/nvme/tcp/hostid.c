/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvme/tcp/hostid.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "spec/fabrics.h"

static struct {
	pthread_once_t once;
	uint8_t id[16];
	char nqn[NVME_NQN_MAX + 1];
} host = { .once = PTHREAD_ONCE_INIT };

static int digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

bool nvme_tcp_uuid_parse(uint8_t id[16], const char *text)
{
	uint8_t bytes[16] = { 0 };
	unsigned int n = 0;

	for (; *text; text++) {
		if (*text == '-')
			continue;
		if (n == 32 || digit(*text) < 0)
			return false;
		bytes[n / 2] = (uint8_t)(bytes[n / 2] << 4 | digit(*text));
		n++;
	}
	if (n == 32)
		memcpy(id, bytes, sizeof(bytes));
	return n == 32;
}

/* The first word of a file. */
static bool read_word(const char *path, char *word, int len)
{
	FILE *file = fopen(path, "re");
	bool got = file && fgets(word, len, file);

	if (file)
		fclose(file);
	if (got)
		word[strcspn(word, " \t\r\n")] = '\0';
	return got;
}

static void find_out(void)
{
	char word[NVME_NQN_MAX + 1];

	if (!(read_word("/etc/nvme/hostid", word, sizeof(word)) &&
	      nvme_tcp_uuid_parse(host.id, word)) &&
	    !(read_word("/etc/machine-id", word, sizeof(word)) &&
	      nvme_tcp_uuid_parse(host.id, word)) &&
	    getrandom(host.id, sizeof(host.id), 0) != sizeof(host.id))
		memcpy(host.id, "pynvme host id", 15);
	if (read_word("/etc/nvme/hostnqn", host.nqn, sizeof(host.nqn)) &&
	    !strncmp(host.nqn, "nqn.", 4))
		return;
	snprintf(host.nqn, sizeof(host.nqn),
		 "nqn.2014-08.org.nvmexpress:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		 "%02x%02x%02x%02x%02x%02x",
		 host.id[0], host.id[1], host.id[2], host.id[3], host.id[4], host.id[5], host.id[6],
		 host.id[7], host.id[8], host.id[9], host.id[10], host.id[11], host.id[12],
		 host.id[13], host.id[14], host.id[15]);
}

void nvme_tcp_hostid_default(uint8_t id[16], char *nqn, size_t len)
{
	pthread_once(&host.once, find_out);
	memcpy(id, host.id, sizeof(host.id));
	snprintf(nqn, len, "%s", host.nqn);
}
