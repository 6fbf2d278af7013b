/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hang.c - Ctrl-\ (SIGQUIT): what every queue waits for, before the process ends by it.
 *
 * The handler runs in whichever thread the signal finds, whoever holds the GIL: it does nothing
 * that is not async-signal-safe. nvme.hang puts Python's tracebacks in front of it.
 */
#include "pyext/cmdlog/hang.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "nvme/cmdlog/outstanding.h"
#include "pyext/args.h"

static int report_fd;

static void write_text(const char *text)
{
	/* What cannot be said is not worth more than that. */
	if (write(report_fd, text, strlen(text)) < 0)
		return;
}

static bool without_core(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_CORE, &limit) && !limit.rlim_cur;
}

/* Installed with SA_RESETHAND: the second time is the default action. */
static void on_quit(int number)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	write_text("\nOutstanding commands of this process:\n");
	nvme_cmdlog_write_outstanding(report_fd,
				      (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	if (without_core())
		write_text("There will be no core dump: 'ulimit -c unlimited' comes before it.\n");
	raise(number);
}

const char py_quit_report_doc[] =
	"quit_report($module, fd, /)\n--\n\n"
	"Have SIGQUIT write outstanding commands to a file descriptor, before it ends the process.\n"
	"False, and nothing is changed: somebody else has a use for it.";

PyObject *py_quit_report(PyObject *module, PyObject *o)
{
	struct sigaction former, ours = {
		.sa_handler = on_quit,
		/* The handler raises it again, and the second time it must come through. */
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	uint64_t fd;

	if (arg_uint(o, "fd", INT32_MAX, &fd))
		return NULL;
	if (sigaction(SIGQUIT, NULL, &former) || former.sa_flags & SA_SIGINFO ||
	    former.sa_handler != SIG_DFL)
		Py_RETURN_FALSE;
	report_fd = (int)fd;
	sigemptyset(&ours.sa_mask);
	return PyBool_FromLong(!sigaction(SIGQUIT, &ours, NULL));
}

const char py_quit_default_doc[] = "quit_default($module, /)\n--\n\n"
				   "Take back what quit_report() did, if it still stands.";

PyObject *py_quit_default(PyObject *module, PyObject *unused)
{
	struct sigaction former;

	if (!sigaction(SIGQUIT, NULL, &former) && !(former.sa_flags & SA_SIGINFO) &&
	    former.sa_handler == on_quit)
		signal(SIGQUIT, SIG_DFL);
	Py_RETURN_NONE;
}
