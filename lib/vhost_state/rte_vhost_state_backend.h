/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef _RTE_VHOST_STATE_BACKEND_H_
#define _RTE_VHOST_STATE_BACKEND_H_

/**
 * @file
 * Back ends of the state library: a back end registers its devices, and an application stops,
 * captures, restores and resumes them by name. And the events that devices send.
 *
 * @warning
 * @b EXPERIMENTAL: this API may change, or be removed, without prior notice.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_compat.h>

#include "rte_vhost_state.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- back ends ---- */

/*
 * Thread-safety: any thread may call these functions at any time. An operation must not
 * unregister its own device, because unregistering waits for the operation.
 */

/** Latencies that a back end measured, in nanoseconds. */
struct rte_vhost_state_timing {
	/** Number of measurements. */
	uint64_t count;
	/** The last measurement. */
	uint64_t last_ns;
	/** The longest. */
	uint64_t max_ns;
	/** The sum of all. */
	uint64_t sum_ns;
};

/** What a back end reports of one device. */
struct rte_vhost_state_info {
	/** Device status, RTE_VHOST_STATE_S_*. */
	uint8_t status;
	/** A front end is connected. */
	bool connected;
	/** What the device can restore. */
	struct rte_vhost_state_limits limits;
	/** Durations of the operations that succeeded. */
	struct rte_vhost_state_timing suspend, capture, restore, resume;
};

/**
 * Receives one statistic of a device.
 *
 * @param arg
 *   Argument of the caller.
 * @param vq
 *   Virtqueue index, or -1 for a statistic of the whole device.
 * @param name
 *   Name, such as "good_packets"; valid during the call only.
 * @param value
 *   Value since the last reset of statistics.
 */
typedef void (*rte_vhost_state_stat_cb)(void *arg, int vq, const char *name, uint64_t value);

/**
 * Operations of a back end. All are mandatory, except for those at the end.
 *
 * An operation runs on the thread of the caller, which may block. The library holds no lock, and
 * several operations may run at a time. An operation checks its legality by rte_vhost_state_may()
 * first, refuses by rte_vhost_state_refuse(), and has no effect if it refuses.
 */
struct rte_vhost_state_ops {
	/** Report status, limits and timings. Return 0 or -errno. */
	int (*info_get)(void *ctx, struct rte_vhost_state_info *info);
	/**
	 * Stop all virtqueues at one instant, within @p timeout_us microseconds; 0: a default of
	 * the back end. Return 0, or -errno of the reason in @p err.
	 */
	int (*suspend)(void *ctx, uint32_t timeout_us, struct rte_vhost_state_error *err);
	/** Resume where suspend stopped. Return 0, or -errno of the reason in @p err. */
	int (*resume)(void *ctx, struct rte_vhost_state_error *err);
	/** Return a copy of the state of a suspended device; NULL with the reason in @p err. */
	struct rte_vhost_state *(*capture)(void *ctx, struct rte_vhost_state_error *err);
	/**
	 * Accept a state, which the library has validated. The state takes effect at DRIVER_OK and
	 * is copied as needed: @p st is valid during the call only. Return 0, or -errno of the
	 * reason in @p err.
	 */
	int (*restore)(void *ctx, const struct rte_vhost_state *st,
			struct rte_vhost_state_error *err);

	/* -- optional: NULL if the device does not offer it -- */

	/**
	 * Let the device go, so that a process that starts later can own it. Does not wait until
	 * it is gone. Return 0, or -errno of the reason in @p err.
	 */
	int (*release)(void *ctx, struct rte_vhost_state_error *err);
	/** Call @p cb for each statistic, without waiting for a lock. Return 0 or -errno. */
	int (*stats_get)(void *ctx, rte_vhost_state_stat_cb cb, void *arg);
};

/**
 * Register a device, so that the functions below find it by name.
 *
 * @param name
 *   Name of 1 .. RTE_VHOST_STATE_NAME_SIZE - 1 characters; copied.
 * @param ops
 *   Operations of the back end; copied.
 * @param ctx
 *   First argument of each operation.
 * @return
 *   - 0: success.
 *   - -EINVAL: an operation is missing, or the length of the name is out of range.
 *   - -EEXIST: a device with this name is registered.
 *   - -ENOMEM: out of memory.
 */
__rte_experimental
int rte_vhost_state_register(const char *name, const struct rte_vhost_state_ops *ops, void *ctx);

/**
 * Unregister a device. Blocks until the operations that run on the device have returned.
 *
 * @param name
 *   Name of the device.
 * @return
 *   - 0: success; no operation of the device is called any more.
 *   - -ENODEV: no device with this name is registered.
 */
__rte_experimental
int rte_vhost_state_unregister(const char *name);

/**
 * Get the name of a device by its position in the order of registration.
 *
 * @param pos
 *   Position; 0 for the first device.
 * @param name
 *   Written: the name.
 * @return
 *   - 0: success.
 *   - -ENOENT: there are not more than @p pos devices.
 */
__rte_experimental
int rte_vhost_state_name_get(unsigned int pos, char name[RTE_VHOST_STATE_NAME_SIZE]);

/**
 * Get status, limits and timings of a device.
 *
 * @param name
 *   Name of the device.
 * @param info
 *   Written: what the back end reports.
 * @return
 *   - 0: success.
 *   - -ENODEV: no device with this name is registered.
 *   - other: the error of the back end.
 */
__rte_experimental
int rte_vhost_state_info_get(const char *name, struct rte_vhost_state_info *info);

/**
 * Stop all virtqueues of a device at one instant.
 *
 * @param name
 *   Name of the device.
 * @param timeout_us
 *   Bound of the wait in microseconds; 0: the default of the back end.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: NO_DEVICE, NOT_RUNNING, NOT_CONNECTED, TIMEOUT, others
 *   of the back end. The device then runs as before.
 */
__rte_experimental
int rte_vhost_state_suspend(const char *name, uint32_t timeout_us,
		struct rte_vhost_state_error *err);

/**
 * Resume a suspended device where it stopped.
 *
 * @param name
 *   Name of the device.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: NO_DEVICE, NOT_SUSPENDED, others of the back end.
 */
__rte_experimental
int rte_vhost_state_resume(const char *name, struct rte_vhost_state_error *err);

/**
 * Capture the state of a suspended device.
 *
 * @param name
 *   Name of the device.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   The state, to be freed. NULL with rte_errno and the reason in @p err: NO_DEVICE,
 *   NOT_SUSPENDED, others of the back end.
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_capture(const char *name,
		struct rte_vhost_state_error *err);

/**
 * Validate a state and hand it to a device, where it takes effect at DRIVER_OK.
 *
 * @param name
 *   Name of the device.
 * @param st
 *   The caller keeps the state.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: NO_DEVICE, NOT_CONFIGURABLE, NEEDS_RESET, those of
 *   rte_vhost_state_validate() and rte_vhost_state_check_fit(), others of the back end. A state
 *   that was restored before is then unchanged.
 */
__rte_experimental
int rte_vhost_state_restore(const char *name, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err);

/**
 * Release a device for another process that starts later. The device closes its socket and leaves
 * its rings to the next owner of its state. This function does not wait for that.
 *
 * @param name
 *   Name of the device.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: NO_DEVICE, NOT_SUPPORTED, UNDER_WAY, others of the back
 *   end.
 */
__rte_experimental
int rte_vhost_state_release(const char *name, struct rte_vhost_state_error *err);

/**
 * Get the statistics of a device: first those of the device, then those of each virtqueue.
 *
 * @param name
 *   Name of the device.
 * @param cb
 *   Called for each statistic, on the thread of the caller.
 * @param arg
 *   First argument of @p cb.
 * @return
 *   - 0: success.
 *   - -ENODEV: no device with this name is registered.
 *   - -ENOTSUP: the device has no statistics.
 *   - other: the error of the back end.
 */
__rte_experimental
int rte_vhost_state_stats_get(const char *name, rte_vhost_state_stat_cb cb, void *arg);

/* ---- events ---- */

/** List of the events of a device: name and text. */
#define RTE_VHOST_STATE_EVENTS(X) \
	X(CONNECTED, "a front end connected") \
	X(DISCONNECTED, "the front end disconnected") \
	X(STARTED, "the front end finished set-up") \
	X(STOPPED, "the front end took the rings back") \
	X(SUSPENDED, "the device was suspended") \
	X(RESUMED, "the device resumed") \
	X(FAULT, "the driver broke a virtqueue") \
	X(RELEASED, "another process may own the device") \
	X(ADDED, "a device was registered") \
	X(REMOVED, "a device was unregistered")

/** What happened to a device. */
enum rte_vhost_state_event {
/** One enumerator of the list of events. */
#define RTE_VHOST_STATE_EVENT_ENUM(name, text) RTE_VHOST_STATE_E_##name,
	RTE_VHOST_STATE_EVENTS(RTE_VHOST_STATE_EVENT_ENUM)
#undef RTE_VHOST_STATE_EVENT_ENUM
	RTE_VHOST_STATE_E_MAX
};

/**
 * Report an event to the clients of control sockets that asked for events. A back end calls it.
 * Thread-safe. It never waits for a client, so the caller may hold locks of its own. Without such a
 * client it costs one load.
 *
 * @param name
 *   Name of the device.
 * @param event
 *   What happened.
 * @param vq
 *   Virtqueue index, or -1 if the event does not concern a virtqueue.
 * @param detail
 *   Short word with details, such as the name of a fault; may be NULL.
 */
__rte_experimental
void rte_vhost_state_event_send(const char *name, enum rte_vhost_state_event event, int vq,
		const char *detail);

/** Return the name of an event, such as "suspended"; "unknown" if it is out of range. */
__rte_experimental
const char *rte_vhost_state_event_name(enum rte_vhost_state_event event);

/** Return the text of an event; "unknown event" if it is out of range. */
__rte_experimental
const char *rte_vhost_state_event_text(enum rte_vhost_state_event event);

#ifdef __cplusplus
}
#endif

#endif /* _RTE_VHOST_STATE_BACKEND_H_ */
