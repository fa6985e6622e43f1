/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FRONT_END_H
#define VSTATE_FRONT_END_H

/**
 * @file
 * Functions of the front door (vhost/) for the directories below it. The watch thread calls them,
 * and so does the handover, to open, pass and close connections. The front door registers the
 * table.
 */

#include <stdbool.h>

struct rte_tel_data;
struct vstate_dev;
struct vstate_handover_msg;

/** Descriptors of a device's connections, kept open while rte_vhost closes the socket. */
struct vstate_hold {
	unsigned int nb;
	/** If there are several, it is not known which one rte_vhost serves. */
	int fds[8];
	/** Number of the open connection; see vstate_msg_log_number(). */
	unsigned int number;
};

struct vstate_front_end_ops {
	/**
	 * Continue transfers that are under way. Called by the watch thread, control lock held.
	 * @return true if the watch thread should call again soon
	 */
	bool (*watch)(struct vstate_dev *dev);
	/** Add the fields of the connection to /vstate/dev. Any thread. */
	void (*telemetry)(const struct vstate_dev *dev, struct rte_tel_data *d);

	/** Do slow preparations of open() early, before the old process releases its socket. */
	void (*prepare)(struct vstate_dev *dev);
	/** Undo prepare() after open(), or if the socket will never be opened. */
	void (*prepare_end)(struct vstate_dev *dev);
	/** Open the socket. Any thread. @return 0; -ESHUTDOWN after close(); or another -errno */
	int (*open)(struct vstate_dev *dev);
	/**
	 * Open the socket with the connection in @p msg. If the connection cannot be kept, the
	 * front end has to connect again. @p msg is empty afterwards.
	 * @param kept written: whether the connection was kept
	 * @return as open()
	 */
	int (*adopt)(struct vstate_dev *dev, struct vstate_handover_msg *msg, bool *kept);
	/** Close the socket, and refuse later calls of open(). Any thread. */
	void (*close)(struct vstate_dev *dev);
	/** Return whether close() was called. Any thread. */
	bool (*is_shut)(const struct vstate_dev *dev);
	/**
	 * Duplicate the descriptors of the connection into @p hold, to pass the connection on or
	 * to hang up. The thread of rte_vhost keeps its descriptor open while it waits for
	 * messages, for up to a second. Without hang_up() the front end would not see the end of
	 * the connection during that time.
	 */
	void (*hold)(struct vstate_dev *dev, struct vstate_hold *hold);
	/** Shut down the connections in @p hold and close their descriptors. */
	void (*hang_up)(struct vstate_hold *hold);
	/**
	 * Close the socket as close() does, and write into @p msg what another process needs to
	 * continue the connection. The descriptor in @p msg still belongs to @p hold. @p msg is
	 * empty if that process could not continue.
	 */
	void (*pack)(struct vstate_dev *dev, const struct vstate_hold *hold,
			struct vstate_handover_msg *msg);
};

#endif /* VSTATE_FRONT_END_H */
