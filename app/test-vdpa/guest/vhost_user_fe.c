/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "guest_mem.h"
#include "vhost_user_fe.h"

#define ANSWER_TIMEOUT_MS 5000
#define RETRY_MS 20

static int64_t
now_ms(void)
{
	return (int64_t)(clock_ns() / 1000000);
}

static int
sock_open(const char *path, struct sockaddr_un *addr)
{
	int fd;

	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr->sun_path))
		return -ENAMETOOLONG;
	strcpy(addr->sun_path, path);
	/* Otherwise connect() waits without a bound while the listener's queue is full. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd < 0 ? -errno : fd;
}

static void
fe_init(struct vu_fe *fe, int fd)
{
	memset(fe, 0, sizeof(*fe));
	fe->fd = fd;
	fe->timeout_ms = ANSWER_TIMEOUT_MS;
}

int
vu_fe_connect(struct vu_fe *fe, const char *path, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	struct sockaddr_un addr;
	int fd, err;

	fe_init(fe, -1);
	for (;;) {
		fd = sock_open(path, &addr);
		if (fd < 0)
			return fd;
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			break;
		err = errno;
		close(fd);
		if (err != ENOENT && err != ECONNREFUSED && err != EAGAIN)
			return -err;
		if (now_ms() >= end)
			return -err;
		poll(NULL, 0, RETRY_MS);
	}
	fe->fd = fd;
	return 0;
}

int
vu_fe_listen(const char *path)
{
	struct sockaddr_un addr;
	int fd, ret;

	fd = sock_open(path, &addr);
	if (fd < 0)
		return fd;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 1) == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int
vu_fe_accept_from(struct vu_fe *fe, int listener, int timeout_ms)
{
	struct pollfd pfd = { .fd = listener, .events = POLLIN };
	int n;

	fe_init(fe, -1);
	n = poll(&pfd, 1, timeout_ms);
	if (n > 0)
		fe->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fe->fd < 0)
		return n == 0 ? -ETIMEDOUT : -errno;
	return 0;
}

int
vu_fe_accept(struct vu_fe *fe, const char *path, int timeout_ms)
{
	int listener = vu_fe_listen(path), ret;

	fe_init(fe, -1);
	if (listener < 0)
		return listener;
	ret = vu_fe_accept_from(fe, listener, timeout_ms);
	close(listener);
	unlink(path);
	return ret;
}

bool
vu_fe_hung_up(const struct vu_fe *fe, int timeout_ms)
{
	struct pollfd pfd = { .fd = fe->fd, .events = POLLRDHUP };

	return poll(&pfd, 1, timeout_ms) > 0;
}

void
vu_fe_close(struct vu_fe *fe)
{
	if (fe->fd >= 0)
		close(fe->fd);
	fe->fd = -1;
}

static int
wait_for(struct vu_fe *fe, short events, int64_t end)
{
	struct pollfd pfd = { .fd = fe->fd, .events = events };
	int64_t left = end - now_ms();
	int n;

	n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return 0;
}

static int
send_all(struct vu_fe *fe, struct msghdr *mh)
{
	int64_t end = now_ms() + fe->timeout_ms;
	int ret;

	while (mh->msg_iovlen != 0) {
		ssize_t n = sendmsg(fe->fd, mh, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0) {
			ret = wait_for(fe, POLLOUT, end);
			if (ret < 0)
				return ret;
			continue;
		}
		/* The fds were sent with the first byte. */
		mh->msg_control = NULL;
		mh->msg_controllen = 0;
		while (mh->msg_iovlen != 0 && (size_t)n >= mh->msg_iov->iov_len) {
			n -= mh->msg_iov->iov_len;
			mh->msg_iov++;
			mh->msg_iovlen--;
		}
		if (mh->msg_iovlen != 0) {
			mh->msg_iov->iov_base = (char *)mh->msg_iov->iov_base + n;
			mh->msg_iov->iov_len -= n;
		}
	}
	return 0;
}

void
vu_fds_attach(struct msghdr *mh, char *control, const int *fds, unsigned int nb_fds)
{
	struct cmsghdr *cmsg;

	if (nb_fds == 0)
		return;
	mh->msg_control = control;
	mh->msg_controllen = CMSG_SPACE(nb_fds * sizeof(int));
	cmsg = CMSG_FIRSTHDR(mh);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(nb_fds * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, nb_fds * sizeof(int));
}

int
vu_fe_send_raw(struct vu_fe *fe, const struct vu_header *hdr, const void *payload, size_t len,
		const int *fds, unsigned int nb_fds)
{
	/* More fds than the protocol allows, for hostile cases. */
	char control[CMSG_SPACE(32 * sizeof(int))] = { 0 };
	struct vu_header head = *hdr;
	uint8_t body[VU_MAX_PAYLOAD];
	struct iovec iov[2] = { { &head, sizeof(head) }, { body, len } };
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = len != 0 ? 2 : 1 };

	if (len > sizeof(body) || nb_fds > 32)
		return -EINVAL;
	if (len != 0)
		memcpy(body, payload, len);
	vu_fds_attach(&mh, control, fds, nb_fds);
	return send_all(fe, &mh);
}

/* Read exactly len bytes; *fd is set to the last fd that was received. */
static int
recv_all(struct vu_fe *fe, void *buf, size_t len, int64_t end, int *fd)
{
	size_t done = 0;
	int ret;

	while (done < len) {
		char control[CMSG_SPACE(VU_MAX_FDS * sizeof(int))];
		struct iovec iov = { (char *)buf + done, len - done };
		struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			.msg_controllen = sizeof(control) };
		struct cmsghdr *cmsg;
		ssize_t n;

		ret = wait_for(fe, POLLIN, end);
		if (ret < 0)
			return ret;
		n = recvmsg(fe->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ECONNRESET;
		done += n;
		for (cmsg = CMSG_FIRSTHDR(&mh); cmsg != NULL; cmsg = CMSG_NXTHDR(&mh, cmsg)) {
			if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
				continue;
			if (*fd >= 0)
				close(*fd);
			memcpy(fd, CMSG_DATA(cmsg), sizeof(*fd));
		}
	}
	return 0;
}

int
vu_fe_recv(struct vu_fe *fe, struct vu_header *hdr, void *payload, size_t size, int *fd)
{
	int64_t end = now_ms() + fe->timeout_ms;
	int got = -1, ret;

	ret = recv_all(fe, hdr, sizeof(*hdr), end, &got);
	if (ret == 0 && hdr->size > size)
		ret = -EPROTO;
	if (ret == 0)
		ret = recv_all(fe, payload, hdr->size, end, &got);
	if (ret < 0)
		fe->broken = true;
	if (fd != NULL && ret == 0)
		*fd = got;
	else if (got >= 0)
		close(got);
	return ret;
}

static int
read_answer(struct vu_fe *fe, uint32_t request, void *reply, size_t len, int *reply_fd)
{
	struct vu_header hdr;
	int ret;

	ret = vu_fe_recv(fe, &hdr, reply, len, reply_fd);
	if (ret < 0)
		return ret;
	if (hdr.request == request && hdr.size == len && (hdr.flags & VU_REPLY) != 0)
		return 0;
	fe->broken = true;
	if (reply_fd != NULL && *reply_fd >= 0)
		close(*reply_fd);
	return -EPROTO;
}

/* Read the acknowledgement of a request. @return 0, -EREMOTEIO if it was refused, -errno */
static int
read_ack(struct vu_fe *fe, uint32_t request)
{
	uint64_t refused = 0;
	int ret = read_answer(fe, request, &refused, sizeof(refused), NULL);

	return ret == 0 && refused != 0 ? -EREMOTEIO : ret;
}

/* Read all owed answers. @return the first refusal or error; @p first if that is an error */
static int
settle_owed(struct vu_fe *fe, int first)
{
	unsigned int i;
	int ret;

	for (i = 0; i < fe->nb_owed && !fe->broken; i++) {
		ret = read_ack(fe, fe->owed[i]);
		/* A refusal explains later errors: the back end closes the connection after it. */
		if (ret < 0 && (first == 0 || ret == -EREMOTEIO))
			first = ret;
	}
	fe->nb_owed = 0;
	return first;
}

void
vu_fe_pipeline_begin(struct vu_fe *fe)
{
	fe->pipeline = true;
}

int
vu_fe_pipeline_end(struct vu_fe *fe)
{
	fe->pipeline = false;
	return settle_owed(fe, 0);
}

void
vu_fe_acks_set(struct vu_fe *fe, bool on)
{
	fe->unasked = !on;
}

int
vu_fe_query(struct vu_fe *fe, uint32_t request, const void *payload, size_t len,
		const int *fds, unsigned int nb_fds, void *reply, size_t reply_len, int *reply_fd)
{
	struct vu_header hdr = { .request = request, .flags = VU_VERSION, .size = len };
	int ret = settle_owed(fe, 0);

	if (ret < 0)
		return ret;
	if (fe->broken)
		return -EPIPE;
	ret = vu_fe_send_raw(fe, &hdr, payload, len, fds, nb_fds);
	return ret < 0 ? ret : read_answer(fe, request, reply, reply_len, reply_fd);
}

int
vu_fe_request(struct vu_fe *fe, uint32_t request, const void *payload, size_t len,
		const int *fds, unsigned int nb_fds)
{
	struct vu_header hdr = { .request = request, .flags = VU_VERSION, .size = len };
	int ret;

	if (fe->broken)
		return -EPIPE;
	if (fe->unasked || (fe->protocol & (1u << VU_PF_REPLY_ACK)) == 0)
		return vu_fe_send_raw(fe, &hdr, payload, len, fds, nb_fds);
	hdr.flags |= VU_NEED_REPLY;
	ret = vu_fe_send_raw(fe, &hdr, payload, len, fds, nb_fds);
	if (ret < 0)
		return settle_owed(fe, ret);
	if (!fe->pipeline)
		return read_ack(fe, request);
	fe->owed[fe->nb_owed++] = request;
	return fe->nb_owed == VU_PIPELINE_MAX ? settle_owed(fe, 0) : 0;
}

int
vu_fe_get_u64(struct vu_fe *fe, uint32_t request, uint64_t *value)
{
	return vu_fe_query(fe, request, NULL, 0, NULL, 0, value, sizeof(*value), NULL);
}

int
vu_fe_set_u64(struct vu_fe *fe, uint32_t request, uint64_t value)
{
	return vu_fe_request(fe, request, &value, sizeof(value), NULL, 0);
}

int
vu_fe_set_vring(struct vu_fe *fe, uint32_t request, uint32_t index, uint32_t num)
{
	struct vu_vring_state s = { .index = index, .num = num };

	return vu_fe_request(fe, request, &s, sizeof(s), NULL, 0);
}

int
vu_fe_set_vring_fd(struct vu_fe *fe, uint32_t request, uint32_t index, int fd)
{
	uint64_t value = index | (fd < 0 ? VU_VRING_NOFD : 0);

	return vu_fe_request(fe, request, &value, sizeof(value), &fd, fd >= 0);
}

int
vu_fe_get_vring_base(struct vu_fe *fe, uint32_t index, uint32_t *num)
{
	struct vu_vring_state s = { .index = index }, reply = { 0 };
	int ret;

	ret = vu_fe_query(fe, VU_GET_VRING_BASE, &s, sizeof(s), NULL, 0, &reply, sizeof(reply),
			NULL);
	if (ret == 0 && reply.index != index)
		ret = -EPROTO;
	if (ret == 0)
		*num = reply.num;
	return ret;
}

void
vu_fe_mem_table(const struct guest_mem *m, struct vu_mem_table *table)
{
	uint32_t i;

	memset(table, 0, sizeof(*table));
	table->nb_regions = m->nb_regions;
	for (i = 0; i < m->nb_regions; i++)
		table->regions[i] = (struct vu_mem_region){
			.gpa = m->regions[i].gpa,
			.size = m->regions[i].size,
			.user_addr = guest_mem_user_addr(m, m->regions[i].gpa),
			.mmap_offset = m->regions[i].off,
		};
}

int
vu_fe_set_mem_table(struct vu_fe *fe, const struct guest_mem *m)
{
	struct vu_mem_table table;
	int fds[GUEST_MEM_MAX_REGIONS];
	uint32_t i;

	vu_fe_mem_table(m, &table);
	for (i = 0; i < m->nb_regions; i++)
		fds[i] = m->fd;
	return vu_fe_request(fe, VU_SET_MEM_TABLE, &table,
			offsetof(struct vu_mem_table, regions[m->nb_regions]), fds, m->nb_regions);
}

int
vu_fe_set_log_base(struct vu_fe *fe, int log_fd, uint64_t size)
{
	struct vu_log log = { .size = size };
	struct vu_header hdr = { .request = VU_SET_LOG_BASE, .flags = VU_VERSION,
		.size = sizeof(log) };
	uint8_t reply[sizeof(struct vu_log)];
	int ret;

	if (fe->broken)
		return -EPIPE;
	ret = vu_fe_send_raw(fe, &hdr, &log, sizeof(log), &log_fd, 1);
	/* With LOG_SHMFD there is an answer. Its payload is not specified. */
	if (ret < 0 || (fe->protocol & (1u << VU_PF_LOG_SHMFD)) == 0)
		return ret;
	return vu_fe_recv(fe, &hdr, reply, sizeof(reply), NULL);
}

int
vu_fe_send_rarp(struct vu_fe *fe, const uint8_t mac[6])
{
	uint64_t value = 0;

	if ((fe->protocol & (1u << VU_PF_RARP)) == 0)
		return -ENOTSUP;
	memcpy(&value, mac, 6);
	return vu_fe_set_u64(fe, VU_SEND_RARP, value);
}

int
vu_fe_set_device_state_fd(struct vu_fe *fe, bool load, int fd, int *reply_fd)
{
	struct vu_device_state s = { .direction = load };
	uint64_t reply = 0;
	int ret;

	*reply_fd = -1;
	if ((fe->protocol & (1u << VU_PF_DEVICE_STATE)) == 0)
		return -ENOTSUP;
	ret = vu_fe_query(fe, VU_SET_DEVICE_STATE_FD, &s, sizeof(s), &fd, 1, &reply, sizeof(reply),
			reply_fd);
	if (ret < 0)
		return ret;
	if ((reply & 0xff) == 0)
		return 0;
	if (*reply_fd >= 0)
		close(*reply_fd);
	*reply_fd = -1;
	return -EREMOTEIO;
}

int
vu_fe_check_device_state(struct vu_fe *fe)
{
	uint64_t reply = 0;
	int ret;

	if ((fe->protocol & (1u << VU_PF_DEVICE_STATE)) == 0)
		return -ENOTSUP;
	ret = vu_fe_get_u64(fe, VU_CHECK_DEVICE_STATE, &reply);
	return ret == 0 && reply != 0 ? -EREMOTEIO : ret;
}
