/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef _RTE_VHOST_STATE_CLASS_H_
#define _RTE_VHOST_STATE_CLASS_H_

/**
 * @file
 * The data of each device class in a state: network cards with the settings of their control
 * virtqueue, disks, consoles and SCSI hosts. Included by rte_vhost_state.h.
 *
 * Pure data: a type has no pointers, and may be copied and compared field by field.
 *
 * @warning
 * @b EXPERIMENTAL: this API may change, or be removed, without prior notice.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Virtio device ID of a network card, for struct rte_vhost_state::device_id. */
#define RTE_VHOST_STATE_ID_NET 1
/** Virtio device ID of a disk. */
#define RTE_VHOST_STATE_ID_BLK 2
/** Virtio device ID of a console. */
#define RTE_VHOST_STATE_ID_CONSOLE 3
/** Virtio device ID of a SCSI host. */
#define RTE_VHOST_STATE_ID_SCSI 8

/** Largest number of addresses in the MAC filter table of a network device. */
#define RTE_VHOST_STATE_NET_MACS 256
/** Number of VLAN identifiers. */
#define RTE_VHOST_STATE_NET_VLANS 4096
/** Most ports of a console in a state. */
#define RTE_VHOST_STATE_CONSOLE_PORTS 16
/** Size in bytes of the longest name of a port, with its terminating zero. */
#define RTE_VHOST_STATE_CONSOLE_NAME 32
/** Most bytes of a port that were read from the host side and not put to the guest yet. */
#define RTE_VHOST_STATE_CONSOLE_PENDING 1024
/** Most logical units of a SCSI host in a state. */
#define RTE_VHOST_STATE_SCSI_LUNS 16
/** Size in bytes of the longest serial number of a logical unit, with its terminating zero. */
#define RTE_VHOST_STATE_SCSI_SERIAL 32

/**
 * Commands of the control virtqueue whose last accepted value a state keeps: name, class and
 * command (VIRTIO 1.4 "Control Virtqueue"), ascending. VLANs are a set and stand on their own.
 * ANNOUNCE_ACK leaves no setting.
 */
#define RTE_VHOST_STATE_NET_CTRLS(X) \
	X(PROMISC, 0, 0) \
	X(ALLMULTI, 0, 1) \
	X(ALLUNI, 0, 2) \
	X(NOMULTI, 0, 3) \
	X(NOUNI, 0, 4) \
	X(NOBCAST, 0, 5) \
	X(MAC_TABLE, 1, 0) \
	X(MAC_ADDR, 1, 1) \
	X(PAIRS, 4, 0) \
	X(OFFLOADS, 5, 0)

/** A command of the control virtqueue. The first six are modes of reception. */
enum rte_vhost_state_net_ctrl_cmd {
/** One enumerator of the list of commands. */
#define RTE_VHOST_STATE_NET_CTRL_ENUM(name, class, cmd) RTE_VHOST_STATE_NET_CTRL_##name,
	RTE_VHOST_STATE_NET_CTRLS(RTE_VHOST_STATE_NET_CTRL_ENUM)
#undef RTE_VHOST_STATE_NET_CTRL_ENUM
	RTE_VHOST_STATE_NET_CTRL_MAX
};

/**
 * What a driver set through the control virtqueue. A field whose command was not accepted is zero:
 * the device then has its default.
 */
struct rte_vhost_state_net_ctrl {
	/** Commands that the device accepted, RTE_BIT32(RTE_VHOST_STATE_NET_CTRL_*). */
	uint16_t accepted;
	/** Modes of reception that are on, as bits of the same numbers. */
	uint8_t rx_mode;
	/** Unicast address of MAC_ADDR. */
	struct rte_ether_addr mac;
	/** Queue pairs of PAIRS, 1 .. nb_vqs / 2. */
	uint16_t pairs;
	/** Offloads of OFFLOADS, VIRTIO_NET_F_GUEST_* as feature bits. */
	uint64_t offloads;
	/** Unicast addresses of MAC_TABLE. */
	uint16_t nb_unicast;
	/** Multicast addresses of MAC_TABLE; with the others at most RTE_VHOST_STATE_NET_MACS. */
	uint16_t nb_multicast;
	/** The addresses, unicast ones first. */
	struct rte_ether_addr macs[RTE_VHOST_STATE_NET_MACS];
	/** VLANs that the driver added: bit i % 64 of word i / 64 is VLAN i. */
	uint64_t vlans[RTE_VHOST_STATE_NET_VLANS / 64];
};

/** Data of a network device (VIRTIO 1.4 "Network Device"). */
struct rte_vhost_state_net {
	/** Unicast address. */
	struct rte_ether_addr mac;
	/** Largest MTU in bytes, 68 .. 65535. */
	uint16_t mtu;
	/** Link status and announce bits, VIRTIO_NET_S_*. */
	uint16_t status;
	/** Number of queue pairs that the driver uses, 1 .. nb_vqs / 2. */
	uint16_t active_pairs;
	/** Modes of VIRTIO_NET_CTRL_RX, one bit a command, in the order of the commands. */
	uint8_t rx_mode;
	/** Receive offloads that the driver has enabled, VIRTIO_NET_F_GUEST_* as feature bits. */
	uint64_t guest_offloads;
	/** Settings of the control virtqueue. They agree with the fields above. */
	struct rte_vhost_state_net_ctrl ctrl;
};

/** Data of a block device (VIRTIO 1.4 "Block Device"). */
struct rte_vhost_state_blk {
	/** Sectors of 512 bytes, not 0; a multiple of the block size. */
	uint64_t capacity;
	/** Bytes of a logical block: a power of two, 512 .. 65536. */
	uint32_t blk_size;
	/** The device refuses writes: 0 or 1. */
	uint8_t read_only;
	/** The write cache is on, as the driver chose: 0 or 1. */
	uint8_t write_cache;
};

/** A buffer of which a console has transferred a part; the first one in flight of its virtqueue. */
struct rte_vhost_state_console_transfer {
	/** Identifies the buffer, as in struct rte_vhost_state_inflight. */
	uint16_t id;
	/** Bytes that are transferred; 0: there is no such buffer, and @p id is 0. */
	uint64_t offset;
};

/** A port of a console. */
struct rte_vhost_state_console_port {
	/** The driver's side has opened the port: 0 or 1. */
	uint8_t guest_open;
	/** The host's side of the port is open, as last sent to the driver: 0 or 1. */
	uint8_t host_open;
	/** The driver knows the port, and is ready for it (PORT_READY): 0 or 1. */
	uint8_t ready;
	/** Control messages that the driver has not got yet, RTE_VHOST_STATE_CONSOLE_DUE_*. */
	uint8_t due;
	/** Columns in characters; 0: not known. */
	uint16_t cols;
	/** Rows in characters; 0: not known. */
	uint16_t rows;
	/** Printable characters without quote and backslash; the rest is zero. */
	char name[RTE_VHOST_STATE_CONSOLE_NAME];
	/** Of the buffers that the driver sends. */
	struct rte_vhost_state_console_transfer to_host;
	/** Of the buffers that the driver receives. */
	struct rte_vhost_state_console_transfer to_guest;
	/** Bytes that were read from the host side, and are put to the guest before all others. */
	uint16_t nb_pending;
	/** The first nb_pending bytes are valid. */
	uint8_t pending[RTE_VHOST_STATE_CONSOLE_PENDING];
};

/**
 * @name Control messages of a console that are due (VIRTIO 1.4 "Multiport Device Operation")
 */
/**@{*/
/** PORT_ADD. */
#define RTE_VHOST_STATE_CONSOLE_DUE_ADD		0x01
/** CONSOLE_PORT. */
#define RTE_VHOST_STATE_CONSOLE_DUE_CONSOLE	0x02
/** RESIZE. */
#define RTE_VHOST_STATE_CONSOLE_DUE_RESIZE	0x04
/** PORT_NAME. */
#define RTE_VHOST_STATE_CONSOLE_DUE_NAME	0x08
/** PORT_OPEN. */
#define RTE_VHOST_STATE_CONSOLE_DUE_OPEN	0x10
/** All of them. */
#define RTE_VHOST_STATE_CONSOLE_DUE_ALL		0x1f
/**@}*/

/** Data of a console (VIRTIO 1.4 "Console Device"). */
struct rte_vhost_state_console {
	/** Number of ports, 1 .. RTE_VHOST_STATE_CONSOLE_PORTS. */
	uint16_t nb_ports;
	/** The driver has sent DEVICE_READY: 0 or 1. */
	uint8_t driver_ready;
	/** The first nb_ports entries are valid. */
	struct rte_vhost_state_console_port ports[RTE_VHOST_STATE_CONSOLE_PORTS];
};

/**
 * @name Unit attentions of a logical unit that the driver has not got yet (SAM "Unit attention")
 */
/**@{*/
/** The device was started or reset. */
#define RTE_VHOST_STATE_SCSI_ATTENTION_POWER_ON	0x01
/** A LOGICAL UNIT RESET was done. */
#define RTE_VHOST_STATE_SCSI_ATTENTION_RESET	0x02
/** An I_T NEXUS RESET was done. */
#define RTE_VHOST_STATE_SCSI_ATTENTION_NEXUS	0x04
/** The capacity has changed. */
#define RTE_VHOST_STATE_SCSI_ATTENTION_CAPACITY	0x08
/** All of them. */
#define RTE_VHOST_STATE_SCSI_ATTENTION_ALL	0x0f
/**@}*/

/** A logical unit of a SCSI host. */
struct rte_vhost_state_scsi_lun {
	/** The disk. */
	struct rte_vhost_state_blk disk;
	/** Unit attentions that are due, RTE_VHOST_STATE_SCSI_ATTENTION_*. */
	uint8_t attention;
	/** The driver has not got the event of a new capacity yet: 0 or 1. */
	uint8_t event;
	/** Printable characters without quote and backslash; the rest is zero. */
	char serial[RTE_VHOST_STATE_SCSI_SERIAL];
};

/** Data of a SCSI host (VIRTIO 1.4 "SCSI Host Device"). */
struct rte_vhost_state_scsi {
	/** Bytes of sense data in a response, 1 .. 252, as the driver chose. */
	uint32_t sense_size;
	/** Bytes of a CDB in a request, 6 .. 260, as the driver chose. */
	uint32_t cdb_size;
	/** Number of logical units, 1 .. RTE_VHOST_STATE_SCSI_LUNS. */
	uint16_t nb_luns;
	/** The first nb_luns entries are valid. */
	struct rte_vhost_state_scsi_lun luns[RTE_VHOST_STATE_SCSI_LUNS];
};

#ifdef __cplusplus
}
#endif

#endif /* _RTE_VHOST_STATE_CLASS_H_ */
