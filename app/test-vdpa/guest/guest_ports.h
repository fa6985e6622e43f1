/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_PORTS_H
#define GUEST_PORTS_H

/**
 * @file
 * A driver of a console with one port, or with several and its control queues (VIRTIO 1.4 "Multiport
 * Device Operation"), which does one step at a time, and a peer at the host's side of each port. It
 * is for tests that choose each buffer; guest_console.h is for streams. The driver shares no code
 * with the device.
 *
 * All functions are called from one thread. They return 0 or -errno unless they say otherwise.
 */

#include <stdbool.h>
#include <stdint.h>

#include "guest_mem.h"
#include "guest_ring.h"
#include "vhost_user_fe.h"

#define PORTS_MAX 4
#define PORTS_VQS_MAX (2 + 2 * PORTS_MAX)
/** The control queues: to the driver, and from the driver. */
#define PORTS_CTRL_RX 2
#define PORTS_CTRL_TX 3

struct ports_conf {
	/** 1 .. PORTS_MAX; above 1 with MULTIPORT and its control queues. */
	uint16_t nb_ports;
	/** Descriptors of each ring; split: a power of two. */
	uint16_t ring_size;
	bool packed;
	/** Features besides those that the driver always negotiates. */
	uint64_t features;
	/** Bytes of memory for the data of the test. */
	uint32_t scratch;
};

struct ports {
	struct ports_conf conf;
	struct guest_mem mem;
	uint16_t nb_vqs;
	struct guest_ring rings[PORTS_VQS_MAX];
	int kick[PORTS_VQS_MAX], call[PORTS_VQS_MAX];
	/** A command; a message. Then the memory of the test. */
	uint64_t command_gpa, message_gpa, scratch_gpa;
	/** A buffer for a message is available. */
	bool asked;
	struct {
		struct vu_fe fe;
		bool open;
	} links[2];
	/** The host's side of each port; -1: closed. */
	int peers[PORTS_MAX];
};

/** A message of the device. */
struct ports_message {
	uint32_t id;
	uint16_t event, value;
	/** Bytes behind the head. */
	uint32_t nb;
	uint8_t more[56];
};

/** Create a driver that has no connection. */
int ports_create(struct ports *p, const struct ports_conf *conf);
/** Also for a driver whose creation failed. */
void ports_destroy(struct ports *p);

/** Connect link @p l, reset the device, negotiate features. */
int ports_connect(struct ports *p, unsigned int l, const char *path, int timeout_ms);
/** Set up memory and all queues. */
int ports_prepare(struct ports *p, unsigned int l);
/** Write DRIVER_OK and kick all queues. */
int ports_run(struct ports *p, unsigned int l);
void ports_disconnect(struct ports *p, unsigned int l);
/** Make all queues empty. The device has no connection. */
void ports_rings_reset(struct ports *p);

/** Read @p size bytes of config space, up to 256. */
int ports_config_get(struct ports *p, unsigned int l, void *config, uint32_t size);
/** Write bytes at @p offset of config space. @return -EREMOTEIO: refused */
int ports_config_set(struct ports *p, unsigned int l, uint32_t offset, const void *bytes,
		uint32_t size);

/** Index of the queue in which the driver receives from a port, or sends to it. */
static inline uint16_t
ports_rx(uint16_t port)
{
	return port == 0 ? 0 : 2 * port + 2;
}

static inline uint16_t
ports_tx(uint16_t port)
{
	return ports_rx(port) + 1;
}

/** Make all added buffers of a queue visible, and kick if the device asks for it. */
int ports_publish(struct ports *p, uint16_t q);
/** Make a buffer available, as above. */
int ports_add(struct ports *p, uint16_t q, const struct guest_seg *segs, uint16_t nb,
		uint32_t cookie);
/** Wait for a used buffer. @return 1; 0: none in @p ms; -EBADMSG or -EIO: a wrong one */
int ports_take(struct ports *p, uint16_t q, int ms, uint32_t *cookie, uint32_t *len);
/** Send a command, and wait until it returns. @return -ETIMEDOUT: it does not */
int ports_command(struct ports *p, uint32_t id, uint16_t event, uint16_t value, int ms);
/** Wait for a message of the device. @return 1; 0: none in @p ms; or -errno */
int ports_message(struct ports *p, struct ports_message *m, int ms);

/** Open the host's side of a port: a terminal or a socket. An earlier one is closed. */
int ports_peer_open(struct ports *p, uint16_t port, const char *path, bool terminal, int ms);
void ports_peer_close(struct ports *p, uint16_t port);
/** Transfer bytes, all of them. @return bytes that were transferred in @p ms */
uint32_t ports_peer_read(struct ports *p, uint16_t port, void *bytes, uint32_t nb, int ms);
uint32_t ports_peer_write(struct ports *p, uint16_t port, const void *bytes, uint32_t nb, int ms);

#endif /* GUEST_PORTS_H */
