/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FRONT_END_H
#define VSTATE_FRONT_END_H

/**
 * @file
 * Functions of the front door (vhost/) for the directories below it. The watch thread calls them,
 * and so does the handover, to open, offer, adopt and close. The front door registers the table.
 */

#include <stdbool.h>
#include <stdint.h>

struct rte_tel_data;
struct vstate_dev;
struct vstate_handover_msg;

struct vstate_front_end_ops {
	/**
	 * Continue transfers that are under way. Called by the watch thread, control lock held.
	 * @return true if the watch thread should call again soon
	 */
	bool (*watch)(struct vstate_dev *dev);
	/** Add the fields of the connection to /vstate/dev. Any thread. */
	void (*telemetry)(const struct vstate_dev *dev, struct rte_tel_data *d);

	/** Config space changed: tell the driver. Control lock held. May be NULL. */
	void (*config_changed)(struct vstate_dev *dev);
	/** Open the socket. Any thread. @return 0; -ESHUTDOWN after close(); or another -errno */
	int (*open)(struct vstate_dev *dev);
	/** Close the socket, and refuse later calls of open(). Any thread. */
	void (*close)(struct vstate_dev *dev);
	/** Return whether close() was called. Any thread. */
	bool (*is_shut)(const struct vstate_dev *dev);

	/* -- the owner of a device that another process takes over -- */

	/**
	 * Process no more messages of the front end until thaw() or leave(). What the front end
	 * sends until then stays in its connection.
	 * @return 0; -ETIMEDOUT: a message was under way for @p ms milliseconds
	 */
	int (*freeze)(struct vstate_dev *dev, unsigned int ms);
	/** Process messages again. */
	void (*thaw)(struct vstate_dev *dev);
	/**
	 * Add to @p msg copies of all that another process needs to continue. Frozen.
	 * @param connection whether that process can continue the connection of the front end
	 * @return 0 or -errno
	 */
	int (*offer)(struct vstate_dev *dev, bool connection, struct vstate_handover_msg *msg);
	/**
	 * Serve the queues as the owner again, after another process may have served them. Frozen.
	 */
	void (*resume)(struct vstate_dev *dev);
	/**
	 * Another process has the connection and the socket: forget both, so that the front end
	 * does not notice. Frozen; open() is refused afterwards.
	 * @param kept whether that process continues the connection; else it is closed
	 */
	void (*leave)(struct vstate_dev *dev, bool kept);

	/* -- the process that takes a device over -- */

	/**
	 * Set the device up with what the owner offered, while that process serves it. No queue
	 * runs, and no message of the front end is read.
	 * @param kept written: whether the connection can be continued
	 * @return 0; -ESHUTDOWN after close(); or another -errno: nothing is kept
	 */
	int (*adopt)(struct vstate_dev *dev, const struct vstate_handover_msg *msg, bool *kept);
	/** Undo adopt(): the owner keeps the device. */
	void (*abandon)(struct vstate_dev *dev);
	/**
	 * This process owns the device: serve the queues, and then the front end. Without adopt(),
	 * as open().
	 * @return 0; -ESHUTDOWN; or another -errno: as after abandon()
	 */
	int (*run)(struct vstate_dev *dev);
};

#endif /* VSTATE_FRONT_END_H */
