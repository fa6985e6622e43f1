/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FRONT_END_H
#define VSTATE_FRONT_END_H

/**
 * @file
 * What the rooms below the front door may ask of it: the watch thread, and the hand-over to another
 * process, which closes, passes on and opens connections. The front door registers this table.
 */

#include <stdbool.h>

struct rte_tel_data;
struct vstate_dev;
struct vstate_handover_msg;

/** Descriptors of a device's connections, held while the socket is closed. */
struct vstate_hold {
	unsigned int nb;
	/** More than one: it is not known which of them rte_vhost listens to. */
	int fds[8];
	/** The connection that was open: see vstate_msg_log_number(). */
	unsigned int number;
};

struct vstate_front_end_ops {
	/**
	 * Look after what is under way. Control lock held, by the watch thread.
	 * @return true: call again soon
	 */
	bool (*watch)(struct vstate_dev *dev);
	/** Add the fields of the connection to /vstate/dev. Any thread. */
	void (*telemetry)(const struct vstate_dev *dev, struct rte_tel_data *d);

	/** Make ready what takes time, before another process is asked for its socket. */
	void (*prepare)(struct vstate_dev *dev);
	/** Undo that, once the socket is open or never will be. */
	void (*prepare_end)(struct vstate_dev *dev);
	/** Open the socket; 0, -ESHUTDOWN after close(), or another -errno. Any thread. */
	int (*open)(struct vstate_dev *dev);
	/**
	 * The same, with the connection in @p msg; the front end connects again if that cannot be.
	 * The message is empty afterwards. @param kept written: whether the connection was kept
	 */
	int (*adopt)(struct vstate_dev *dev, struct vstate_handover_msg *msg, bool *kept);
	/** Close the socket for good, open or not: the guest sees its device disappear. Any thread. */
	void (*close)(struct vstate_dev *dev);
	/** close() was called. Any thread. */
	bool (*is_shut)(const struct vstate_dev *dev);
	/**
	 * Hold the connection, to pass it on, or to hang up after the socket was closed:
	 * rte_vhost's thread holds it too while it waits for messages, for up to a second, and
	 * the front end would see no end of it for so long.
	 */
	void (*hold)(struct vstate_dev *dev, struct vstate_hold *hold);
	/** End the connections that are held. */
	void (*hang_up)(struct vstate_hold *hold);
	/**
	 * Close the socket for good, and pack what another process needs to continue with the
	 * connection. @p msg names the connection too, which still belongs to @p hold. It is empty
	 * if that process could not continue.
	 */
	void (*pack)(struct vstate_dev *dev, const struct vstate_hold *hold,
			struct vstate_handover_msg *msg);
};

#endif /* VSTATE_FRONT_END_H */
