/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>

#include "backend.h"
#include "backend_msg.h"
#include "backend_process.h"
#include "eal_args.h"
#include "process.h"
#include "rte_vhost_state_backend.h"
#include "strvec.h"

/* The child starts EAL before it answers the first message. */
#define START_MS 30000
/* Added to the time that the operation itself may take. */
#define ANSWER_MS 5000
#define GRACE_MS 3000

struct backend_process {
	struct backend be;
	pid_t pid;
	int fd;
	/** EAL options, for a new child after a kill. */
	const struct strvec *eal;
	bool verbose;
};

static struct backend_process *
process_of(struct backend *be)
{
	return container_of(be, struct backend_process, be);
}

/* The connection broke: report how the child ended. Its end may take a moment. */
static void
death_report(struct backend_process *bp)
{
	char how[96];
	int tries;

	for (tries = 0; tries < 100; tries++) {
		if (!process_running(bp->pid, how, sizeof(how))) {
			fprintf(stderr, "dpdk-test-vdpa: back end process %d (%s) %s\n",
				(int)bp->pid, bp->be.dev.name, how);
			return;
		}
		usleep(10000);
	}
	fprintf(stderr, "dpdk-test-vdpa: back end process %d (%s) closed its connection\n",
		(int)bp->pid, bp->be.dev.name);
}

/* Send a request and receive its answer, which replaces @p head. */
static int
request_call(struct backend_process *bp, struct backend_msg_head *head, const void *out, void **in,
		int timeout_ms)
{
	uint32_t op = head->op;
	int ret;

	*in = NULL;
	if (bp->fd < 0)
		return -EPIPE;
	ret = backend_msg_send(bp->fd, head, out, timeout_ms);
	if (ret == 0)
		ret = backend_msg_recv(bp->fd, head, in, timeout_ms);
	if (ret == 0 && head->op != op)
		ret = -EBADMSG;
	if (ret == 0)
		return head->result;

	free(*in);
	*in = NULL;
	if (ret == -EPIPE)
		death_report(bp);
	else
		fprintf(stderr, "dpdk-test-vdpa: back end process %d (%s) does not answer: %s\n",
			(int)bp->pid, bp->be.dev.name, strerror(-ret));
	/* A late answer would be mistaken for the answer to the next request. */
	close(bp->fd);
	bp->fd = -1;
	return ret;
}

/* A request without bytes in either direction. */
static int
request_call_plain(struct backend_process *bp, enum backend_msg_op op, uint32_t arg, int timeout_ms,
		struct rte_vhost_state_error *err)
{
	struct backend_msg_head head = { .op = op, .arg = arg };
	void *bytes;
	int ret;

	ret = request_call(bp, &head, NULL, &bytes, timeout_ms);
	free(bytes);
	if (err != NULL)
		*err = head.err;
	return ret;
}

static int
process_info(struct backend *be, struct rte_vhost_state_info *info)
{
	struct backend_msg_head head = { .op = BACKEND_MSG_INFO };
	void *bytes;
	int ret;

	ret = request_call(process_of(be), &head, NULL, &bytes, ANSWER_MS);
	if (ret == 0 && head.len != sizeof(*info))
		ret = -EBADMSG;
	if (ret == 0)
		memcpy(info, bytes, sizeof(*info));
	free(bytes);
	return ret;
}

static int
process_suspend(struct backend *be, uint32_t timeout_us, struct rte_vhost_state_error *err)
{
	return request_call_plain(process_of(be), BACKEND_MSG_SUSPEND, timeout_us,
			ANSWER_MS + timeout_us / 1000, err);
}

static struct rte_vhost_state *
process_capture(struct backend *be, struct rte_vhost_state_error *err)
{
	struct backend_msg_head head = { .op = BACKEND_MSG_CAPTURE };
	struct rte_vhost_state *st = NULL;
	void *bytes;
	int ret;

	ret = request_call(process_of(be), &head, NULL, &bytes, ANSWER_MS);
	if (ret < 0) {
		if (err != NULL)
			*err = head.err;
		rte_errno = -ret;
	} else {
		st = rte_vhost_state_decode(bytes, head.len, err);
	}
	free(bytes);
	return st;
}

static int
process_restore(struct backend *be, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err)
{
	struct backend_msg_head head = { .op = BACKEND_MSG_RESTORE };
	size_t size = rte_vhost_state_encoded_size(st);
	void *bytes, *none;
	size_t len;
	int ret;

	bytes = malloc(size);
	if (bytes == NULL)
		return -ENOMEM;
	ret = rte_vhost_state_encode(st, bytes, size, &len, err);
	if (ret == 0) {
		head.len = len;
		ret = request_call(process_of(be), &head, bytes, &none, ANSWER_MS);
		free(none);
		if (err != NULL)
			*err = head.err;
	}
	free(bytes);
	return ret;
}

static int
process_resume(struct backend *be, struct rte_vhost_state_error *err)
{
	return request_call_plain(process_of(be), BACKEND_MSG_RESUME, 0, ANSWER_MS, err);
}

/* Start the child with one end of a socket pair. */
static int
child_start(struct backend_process *bp)
{
	struct strvec argv = STRVEC_INIT;
	int sv[2], ret;

	strvec_push(&argv, "dpdk-test-vdpa");
	ret = eal_args_for_child(bp->eal, &argv);
	strvec_push(&argv, "--");
	strvec_push(&argv, BACKEND_CHILD_COMMAND);
	if (bp->verbose)
		strvec_push(&argv, "--verbose");
	if (ret < 0 || argv.failed)
		ret = -ENOMEM;
	else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		ret = -errno;
	if (ret == 0) {
		bp->pid = process_spawn(argv.v, sv[1], BACKEND_CHILD_FD);
		close(sv[1]);
		bp->fd = sv[0];
		if (bp->pid < 0) {
			ret = bp->pid;
			close(bp->fd);
		}
	}
	strvec_free(&argv);
	return ret;
}

/* Start a child and let it create its device. */
static int
child_begin(struct backend_process *bp)
{
	struct backend_msg_head head = { .op = BACKEND_MSG_CREATE, .len = sizeof(bp->be.dev) };
	void *none;
	int ret;

	ret = child_start(bp);
	if (ret < 0) {
		fprintf(stderr, "dpdk-test-vdpa: cannot start a back end process: %s\n",
			strerror(-ret));
		return ret;
	}
	ret = request_call(bp, &head, &bp->be.dev, &none, START_MS);
	free(none);
	return ret;
}

static int
process_kill(struct backend *be)
{
	struct backend_process *bp = process_of(be);

	if (bp->fd < 0)
		return -ESRCH;
	/* Before close(): a child that sees the closed connection would end regularly. */
	if (kill(bp->pid, SIGKILL) < 0)
		return -errno;
	close(bp->fd);
	bp->fd = -1;
	process_end(bp->pid, GRACE_MS);
	bp->pid = -1;
	/* Nobody listens at the socket any more, and the next child refuses an existing file. */
	if (!be->dev.client)
		unlink(be->dev.socket);
	return 0;
}

static int
process_revive(struct backend *be)
{
	struct backend_process *bp = process_of(be);

	return bp->fd < 0 ? child_begin(bp) : -EBUSY;
}

static void
process_destroy(struct backend *be)
{
	struct backend_process *bp = process_of(be);

	if (bp->fd >= 0)
		request_call_plain(bp, BACKEND_MSG_DESTROY, 0, ANSWER_MS, NULL);
	if (bp->fd >= 0)
		close(bp->fd);
	if (bp->pid > 0)
		process_end(bp->pid, GRACE_MS);
	free(bp);
}

static const struct backend_ops process_ops = {
	.info = process_info,
	.suspend = process_suspend,
	.capture = process_capture,
	.restore = process_restore,
	.resume = process_resume,
	.kill = process_kill,
	.revive = process_revive,
	.destroy = process_destroy,
};

struct backend *
backend_process_create(const struct backend_device *dev, const struct strvec *eal, bool verbose)
{
	struct backend_process *bp;
	int ret;

	bp = calloc(1, sizeof(*bp));
	if (bp == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	bp->be.ops = &process_ops;
	bp->be.dev = *dev;
	bp->eal = eal;
	bp->verbose = verbose;
	bp->fd = -1;
	bp->pid = -1;
	ret = child_begin(bp);
	if (ret < 0) {
		process_destroy(&bp->be);
		rte_errno = -ret;
		return NULL;
	}
	return &bp->be;
}
