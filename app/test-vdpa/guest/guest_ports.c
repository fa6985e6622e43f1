/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "clock.h"
#include "guest_packed.h"
#include "guest_ports.h"
#include "guest_split.h"

/* Device status, step by step: each has the bits before it. */
#define S_ACKNOWLEDGE 0x01
#define S_DRIVER 0x03
#define S_FEATURES_OK 0x0b
#define S_RUN 0x0f
#define PACKED_FRESH_BASE 0x80008000u
#define COMMAND sizeof(struct virtio_console_control)
#define MESSAGE (COMMAND + sizeof(((struct ports_message *)0)->more))
/* Time between two looks at a ring or at a peer. */
#define LOOK_US 20

static uint64_t
until_get(int ms)
{
	return clock_ns() + ms * UINT64_C(1000000);
}

/* ---- memory ---- */

static int
queue_create(struct ports *p, uint16_t q)
{
	struct guest_ring *r = &p->rings[q];
	uint64_t desc, driver, device;

	r->ops = p->conf.packed ? &guest_packed_ops : &guest_split_ops;
	r->mem = &p->mem;
	r->size = p->conf.ring_size;
	r->ops->bytes(r->size, &desc, &driver, &device);
	r->desc_gpa = guest_mem_reserve(&p->mem, desc, 4096);
	r->driver_gpa = guest_mem_reserve(&p->mem, driver, 4096);
	r->device_gpa = guest_mem_reserve(&p->mem, device, 4096);
	p->kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->call[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->device_gpa == 0 || p->kick[q] < 0 || p->call[q] < 0)
		return -ENOMEM;
	return guest_ring_alloc(r);
}

void
ports_rings_reset(struct ports *p)
{
	uint16_t q;

	for (q = 0; q < p->nb_vqs; q++) {
		guest_ring_reset(&p->rings[q]);
		/* this driver polls */
		p->rings[q].ops->calls(&p->rings[q], true);
	}
	p->asked = false;
}

int
ports_create(struct ports *p, const struct ports_conf *conf)
{
	uint64_t border;
	uint16_t q;
	int ret = 0;

	memset(p, 0, sizeof(*p));
	guest_mem_init(&p->mem);
	for (q = 0; q < PORTS_MAX; q++)
		p->peers[q] = -1;
	for (q = 0; q < PORTS_VQS_MAX; q++)
		p->kick[q] = p->call[q] = -1;
	if (conf->nb_ports < 1 || conf->nb_ports > PORTS_MAX)
		return -EINVAL;
	p->conf = *conf;
	p->nb_vqs = conf->nb_ports == 1 ? 2 : 2 + 2 * conf->nb_ports;
	for (q = 0; q < p->nb_vqs && ret == 0; q++)
		ret = queue_create(p, q);
	p->command_gpa = guest_mem_reserve(&p->mem, COMMAND, 64);
	p->message_gpa = guest_mem_reserve(&p->mem, MESSAGE, 64);
	/* it lies in two regions */
	p->scratch_gpa = guest_mem_reserve(&p->mem, conf->scratch, 4096);
	border = p->scratch_gpa + conf->scratch / 2;
	if (ret == 0)
		ret = p->scratch_gpa == 0 ? -ENOMEM :
			guest_mem_commit(&p->mem, &border, 1, 4096);
	if (ret == 0)
		ports_rings_reset(p);
	return ret;
}

static void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
ports_destroy(struct ports *p)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(p->links); i++)
		ports_disconnect(p, i);
	for (i = 0; i < PORTS_MAX; i++)
		fd_close(&p->peers[i]);
	for (i = 0; i < PORTS_VQS_MAX; i++) {
		guest_ring_free(&p->rings[i]);
		fd_close(&p->kick[i]);
		fd_close(&p->call[i]);
	}
	guest_mem_free(&p->mem);
}

/* ---- a link ---- */

static int
features_negotiate(const struct ports *p, struct vu_fe *fe)
{
	const uint64_t want = p->conf.features | RTE_BIT64(VIRTIO_F_VERSION_1) |
		RTE_BIT64(VU_F_PROTOCOL_FEATURES) |
		(p->conf.nb_ports > 1 ? RTE_BIT64(VIRTIO_CONSOLE_F_MULTIPORT) : 0) |
		(p->conf.packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0);
	const uint64_t protocol = RTE_BIT64(VU_PF_MQ) | RTE_BIT64(VU_PF_REPLY_ACK) |
		RTE_BIT64(VU_PF_CONFIG) | RTE_BIT64(VU_PF_STATUS);
	uint64_t offered, has;
	int ret;

	ret = vu_fe_get_u64(fe, VU_GET_FEATURES, &offered);
	if (ret == 0)
		ret = vu_fe_get_u64(fe, VU_GET_PROTOCOL_FEATURES, &has);
	if (ret == 0 && ((want & ~offered) != 0 || (protocol & ~has) != 0))
		return -ENOTSUP;
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_PROTOCOL_FEATURES, protocol);
	fe->protocol = protocol;
	/* an earlier connection may have ended without a reset */
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_STATUS, S_ACKNOWLEDGE);
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_STATUS, 0);
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_STATUS, S_DRIVER);
	if (ret == 0)
		ret = vu_fe_set_u64(fe, VU_SET_FEATURES, want);
	return ret == 0 ? vu_fe_set_u64(fe, VU_SET_STATUS, S_FEATURES_OK) : ret;
}

int
ports_connect(struct ports *p, unsigned int l, const char *path, int timeout_ms)
{
	struct vu_fe *fe = &p->links[l].fe;
	int ret;

	memset(fe, 0, sizeof(*fe));
	ret = vu_fe_connect(fe, path, timeout_ms);
	if (ret < 0)
		return ret;
	p->links[l].open = true;
	ret = vu_fe_request(fe, VU_SET_OWNER, NULL, 0, NULL, 0);
	return ret == 0 ? features_negotiate(p, fe) : ret;
}

static int
vring_setup(struct ports *p, struct vu_fe *fe, uint16_t q)
{
	const struct guest_ring *r = &p->rings[q];
	const struct vu_vring_addr addr = {
		.index = q,
		.desc = guest_mem_user_addr(&p->mem, r->desc_gpa),
		.used = guest_mem_user_addr(&p->mem, r->device_gpa),
		.avail = guest_mem_user_addr(&p->mem, r->driver_gpa),
		.log = r->device_gpa,
	};
	int ret;

	ret = vu_fe_set_vring(fe, VU_SET_VRING_NUM, q, r->size);
	if (ret == 0)
		ret = vu_fe_set_vring(fe, VU_SET_VRING_BASE, q,
				p->conf.packed ? PACKED_FRESH_BASE : 0);
	if (ret == 0)
		ret = vu_fe_request(fe, VU_SET_VRING_ADDR, &addr, sizeof(addr), NULL, 0);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(fe, VU_SET_VRING_KICK, q, p->kick[q]);
	if (ret == 0)
		ret = vu_fe_set_vring_fd(fe, VU_SET_VRING_CALL, q, p->call[q]);
	return ret == 0 ? vu_fe_set_vring(fe, VU_SET_VRING_ENABLE, q, 1) : ret;
}

int
ports_prepare(struct ports *p, unsigned int l)
{
	struct vu_fe *fe = &p->links[l].fe;
	uint16_t q;
	int ret;

	ret = vu_fe_set_mem_table(fe, &p->mem);
	for (q = 0; q < p->nb_vqs && ret == 0; q++)
		ret = vring_setup(p, fe, q);
	return ret;
}

static int
queue_kick(struct ports *p, uint16_t q)
{
	const uint64_t one = 1;

	return write(p->kick[q], &one, sizeof(one)) < 0 && errno != EAGAIN ? -errno : 0;
}

int
ports_run(struct ports *p, unsigned int l)
{
	int ret = vu_fe_set_u64(&p->links[l].fe, VU_SET_STATUS, S_RUN);
	uint16_t q;

	for (q = 0; q < p->nb_vqs && ret == 0; q++)
		ret = queue_kick(p, q);
	return ret;
}

void
ports_disconnect(struct ports *p, unsigned int l)
{
	if (p->links[l].open)
		vu_fe_close(&p->links[l].fe);
	p->links[l].open = false;
}

/* ---- config space ---- */

struct config_message {
	uint32_t offset, size, flags;
	uint8_t space[256];
};

int
ports_config_get(struct ports *p, unsigned int l, void *config, uint32_t size)
{
	struct config_message m = { .size = size };
	const size_t len = offsetof(struct config_message, space) + size;
	int ret;

	if (size > sizeof(m.space))
		return -EINVAL;
	ret = vu_fe_query(&p->links[l].fe, VU_GET_CONFIG, &m, len, NULL, 0, &m, len, NULL);
	if (ret == 0)
		memcpy(config, m.space, size);
	return ret;
}

int
ports_config_set(struct ports *p, unsigned int l, uint32_t offset, const void *bytes, uint32_t size)
{
	struct config_message m = { .offset = offset, .size = size };

	if (size > sizeof(m.space))
		return -EINVAL;
	memcpy(m.space, bytes, size);
	return vu_fe_request(&p->links[l].fe, VU_SET_CONFIG, &m,
			offsetof(struct config_message, space) + size, NULL, 0);
}

/* ---- queues ---- */

int
ports_publish(struct ports *p, uint16_t q)
{
	return p->rings[q].ops->publish(&p->rings[q]) ? queue_kick(p, q) : 0;
}

int
ports_add(struct ports *p, uint16_t q, const struct guest_seg *segs, uint16_t nb, uint32_t cookie)
{
	int ret = p->rings[q].ops->add(&p->rings[q], segs, nb, cookie, false);

	return ret == 0 ? ports_publish(p, q) : ret;
}

int
ports_take(struct ports *p, uint16_t q, int ms, uint32_t *cookie, uint32_t *len)
{
	struct guest_ring *r = &p->rings[q];
	const uint64_t until = until_get(ms);
	int ret;

	for (;;) {
		ret = r->ops->take(r, cookie, len);
		if (ret != 0 || clock_ns() >= until)
			return ret;
		usleep(LOOK_US);
	}
}

int
ports_command(struct ports *p, uint32_t id, uint16_t event, uint16_t value, int ms)
{
	const struct virtio_console_control cmd = { id, event, value };
	const struct guest_seg seg = { p->command_gpa, COMMAND, false };
	uint32_t cookie, len;
	int ret;

	guest_mem_write(&p->mem, p->command_gpa, &cmd, COMMAND);
	ret = ports_add(p, PORTS_CTRL_TX, &seg, 1, 0);
	if (ret == 0)
		ret = ports_take(p, PORTS_CTRL_TX, ms, &cookie, &len);
	if (ret == 1)
		return len == 0 ? 0 : -EBADMSG;
	return ret == 0 ? -ETIMEDOUT : ret;
}

int
ports_message(struct ports *p, struct ports_message *m, int ms)
{
	const struct guest_seg seg = { p->message_gpa, MESSAGE, true };
	struct virtio_console_control head;
	uint32_t cookie, len;
	int ret = 0;

	if (!p->asked)
		ret = ports_add(p, PORTS_CTRL_RX, &seg, 1, 0);
	p->asked = true;
	if (ret == 0)
		ret = ports_take(p, PORTS_CTRL_RX, ms, &cookie, &len);
	if (ret != 1)
		return ret;
	p->asked = false;
	if (len < COMMAND || len > MESSAGE)
		return -EBADMSG;
	guest_mem_read(&p->mem, p->message_gpa, &head, COMMAND);
	*m = (struct ports_message){ head.id, head.event, head.value, len - COMMAND, { 0 } };
	guest_mem_read(&p->mem, p->message_gpa + COMMAND, m->more, m->nb);
	return 1;
}

/* ---- peers ---- */

static int
socket_open(const char *path, uint64_t until)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	/* -EAGAIN: other peers wait */
	while ((ret = connect(fd, (struct sockaddr *)&un, sizeof(un))) != 0 && clock_ns() < until)
		usleep(1000);
	if (ret == 0)
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int
ports_peer_open(struct ports *p, uint16_t port, const char *path, bool terminal, int ms)
{
	int fd;

	fd_close(&p->peers[port]);
	if (terminal) {
		fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
	} else {
		fd = socket_open(path, until_get(ms));
	}
	p->peers[port] = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

void
ports_peer_close(struct ports *p, uint16_t port)
{
	fd_close(&p->peers[port]);
}

uint32_t
ports_peer_read(struct ports *p, uint16_t port, void *bytes, uint32_t nb, int ms)
{
	const uint64_t until = until_get(ms);
	uint32_t done = 0;
	ssize_t n;

	while (done < nb) {
		n = read(p->peers[port], (uint8_t *)bytes + done, nb - done);
		if (n > 0)
			done += n;
		else if (n == 0 || errno != EAGAIN || clock_ns() >= until)
			break;
		else
			usleep(LOOK_US);
	}
	return done;
}

/* No SIGPIPE: if the device has closed its side, the result is short. */
static ssize_t
peer_send(int fd, const uint8_t *bytes, size_t nb)
{
	ssize_t n = send(fd, bytes, nb, MSG_NOSIGNAL);

	return n < 0 && errno == ENOTSOCK ? write(fd, bytes, nb) : n;
}

uint32_t
ports_peer_write(struct ports *p, uint16_t port, const void *bytes, uint32_t nb, int ms)
{
	const uint64_t until = until_get(ms);
	uint32_t done = 0;
	ssize_t n;

	while (done < nb) {
		n = peer_send(p->peers[port], (const uint8_t *)bytes + done, nb - done);
		if (n > 0)
			done += n;
		else if (n == 0 || errno != EAGAIN || clock_ns() >= until)
			break;
		else
			usleep(LOOK_US);
	}
	return done;
}
