/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_LINK_H
#define GUEST_LINK_H

/**
 * @file
 * A link: the guest's vhost-user connection to one back end.
 */

#include <stdbool.h>
#include <stdint.h>

struct guest;
struct guest_link;

/** Create a link with eventfds, but without a connection. @return NULL with rte_errno */
struct guest_link *guest_link_new(struct guest *g);
/**
 * Open the vhost-user connection and negotiate the protocol: owner, protocol features, number of
 * queues. While the peer does not listen, the connection is tried again for @p timeout_ms.
 * @param server true: listen on @p path and accept one back end (its client=1)
 */
int guest_link_connect(struct guest_link *l, const char *path, bool server, int timeout_ms);
/** guest_link_new() and guest_link_connect(). @return NULL with rte_errno */
struct guest_link *guest_link_open(struct guest *g, const char *path, bool server, int timeout_ms);
/** Listen on @p path for all back ends; each guest_link_open() accepts the next one. */
int guest_listen(struct guest *g, const char *path);
/** True if the back end closes the connection within @p timeout_ms. */
bool guest_link_hung_up(const struct guest_link *l, int timeout_ms);
/** Write status 0, then ACKNOWLEDGE and DRIVER; negotiate features. */
int guest_link_negotiate(struct guest_link *l);
/** guest_link_open() and guest_link_negotiate(). @return NULL with rte_errno */
struct guest_link *guest_connect(struct guest *g, const char *path, bool server, int timeout_ms);

/**
 * Set up memory and rings up to FEATURES_OK: memory table, size, base, addresses, kick, call,
 * enable. Bases are those of fresh rings unless guest_link_set_base() changed them. A back end
 * without a device status is enabled only by guest_link_driver_ok().
 */
int guest_link_prepare(struct guest_link *l);
/** Send SET_VRING_* of virtqueue @p vq, as guest_link_prepare() does. */
int guest_link_setup_vq(struct guest_link *l, uint16_t vq);
/**
 * Take the place of a back end that died without an answer. The next guest_link_prepare() sends
 * what a front end can know: used->idx for split rings, and nothing for packed rings. It asks for
 * no acknowledgements.
 */
void guest_link_recover(struct guest_link *l);
/** Write DRIVER_OK: the back end may process the rings; @p l becomes the active link. */
int guest_link_driver_ok(struct guest_link *l);
/** Send GET_VRING_BASE for all rings, then write status 0. The rings keep their contents. */
int guest_link_stop(struct guest_link *l);
/** Close the connection and free the link. */
void guest_link_close(struct guest_link *l);
/**
 * Suspend by the status byte: write SUSPEND, read until SUSPEND is set and DRIVER_OK is not.
 * @return -ENOTSUP without VIRTIO_F_SUSPEND or status, -EAGAIN without DRIVER_OK, -EREMOTEIO
 *   if the device needs a reset, -ETIMEDOUT
 */
int guest_link_suspend(struct guest_link *l);
/** Resume by the status byte: write DRIVER_OK, read until SUSPEND is clear. */
int guest_link_resume(struct guest_link *l);
/** Status byte by GET_STATUS, or -errno. */
int guest_link_status(struct guest_link *l);
/** The negotiated features. */
uint64_t guest_link_features(const struct guest_link *l);
/** Answer to GET_VRING_BASE for ring @p vq in the last guest_link_stop(). */
uint32_t guest_link_base(const struct guest_link *l, uint16_t vq);
/** Set base @p num for ring @p vq. The next guest_link_prepare() sends it. */
void guest_link_set_base(struct guest_link *l, uint16_t vq, uint32_t num);
/** Kick virtqueue @p vq of the active link. Without an active link nothing happens. */
void guest_kick(struct guest *g, uint16_t vq);

#endif /* GUEST_LINK_H */
