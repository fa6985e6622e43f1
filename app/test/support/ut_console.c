/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ring.h>

#include <rte_memory.h>

#include "console/vstate_console_class.h"
#include "console/vstate_console_conf.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_lease.h"
#include "ut_console.h"
#include "ut_groups.h"
#include "vstate_probe.h"

struct vstate_conf
con_conf(struct con *k)
{
	struct vstate_conf conf = { .queues = 1, .numa = SOCKET_ID_ANY };

	memset(k, 0, sizeof(*k));
	k->peer = -1;
	snprintf(k->path, sizeof(k->path), "/tmp/vstate-ut-console.%d", getpid());
	vstate_console_conf_default(&conf);
	vstate_console_conf(&conf)->ports[0].kind = VSTATE_CONSOLE_UNIX;
	strcpy(vstate_console_conf(&conf)->ports[0].path, k->path);
	return conf;
}

void
con_device_open(struct con *k, const char *name, const struct vstate_conf *conf)
{
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	k->dev = vstate_probe_make(name, conf, &vstate_console_class, SOCKET_ID_ANY);
	assert_non_null(k->dev);
	k->c = vstate_console_of(k->dev);
	k->port = &k->c->ports[0];
	assert_int_equal(vstate_console_host_open(k->dev), 0);
	vstate_poller_set(k->dev, VSTATE_POLLER_THREAD, NULL, NULL);
	vstate_start_connect(k->dev);
	memset(&k->setup, 0, sizeof(k->setup));
	k->setup.features = RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_RING_F_INDIRECT_DESC) |
		(k->packed ? RTE_BIT64(VIRTIO_F_RING_PACKED) : 0) |
		(k->dev->features_offered & RTE_BIT64(VIRTIO_CONSOLE_F_MULTIPORT));
	vstate_start_negotiate(k->dev, k->setup.features, false);
	k->setup.mem = k->ring.guest.mem;
	ring_describe(&k->ring, &k->setup.rings[k->qid]);
	k->setup.rings[k->qid].ready = true;
	k->q = vstate_console_vq_of(k->dev->vqs[k->qid]);
}

void
con_device_close(struct con *k)
{
	vstate_start_disconnect(k->dev, false);
	vstate_probe_unmake(k->dev);
	vstate_watch_put();
}

void
con_start(struct con *k, struct vstate_pos base)
{
	k->setup.rings[k->qid].base_fresh = true;
	k->setup.rings[k->qid].avail = k->setup.rings[k->qid].used = base;
	vstate_start(k->dev, &k->setup);
	k->setup.rings[k->qid].base_fresh = false;
}

void
con_open(struct con *k, const char *name, const struct vstate_conf *conf, uint16_t qid, bool packed)
{
	k->qid = qid;
	k->packed = packed;
	ring_open(&k->ring, packed, CONSOLE_RING);
	con_device_open(k, name, conf);
	con_start(k, (struct vstate_pos){ 0, packed });
	con_peer_open(k);
}

void
con_close(struct con *k)
{
	con_peer_close(k);
	con_device_close(k);
	ring_close(&k->ring);
}

void
con_peer_open(struct con *k)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	k->peer = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(k->peer >= 0);
	strcpy(un.sun_path, k->path);
	assert_int_equal(connect(k->peer, (struct sockaddr *)&un, sizeof(un)), 0);
	con_work(k);
}

void
con_peer_close(struct con *k)
{
	if (k->peer >= 0)
		close(k->peer);
	k->peer = -1;
}

void
con_work(struct con *k)
{
	while (vstate_console_work(k->c))
		;
}

uint16_t
con_add(struct con *k, uint32_t at, uint32_t len)
{
	struct piece p[2] = { { RING_BUF_GPA + at, len / 2 },
		{ RING_BUF_GPA + at + len / 2, len - len / 2 } };

	return len > 1 ? ring_add(&k->ring, p, 2, k->qid == CONSOLE_TO_GUEST) :
		ring_add(&k->ring, p + 1, 1, k->qid == CONSOLE_TO_GUEST);
}

uint32_t
con_peer_read(struct con *k, uint8_t *bytes, uint32_t max)
{
	uint32_t n = 0;
	ssize_t got;

	while (n < max) {
		got = recv(k->peer, bytes + n, max - n, MSG_DONTWAIT);
		if (got <= 0)
			break;
		n += got;
	}
	return n;
}
