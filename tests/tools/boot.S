/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 *
 * A boot sector that reads the next sector by the BIOS, and writes the text in it to the serial
 * line. So the firmware's driver has read two sectors of the disk.
 *
 *	as --32 -o boot.o boot.S && ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o boot.bin boot.o
 */

	.code16
	.globl _start
_start:
	ljmp	$0, $begin
begin:
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp
	/* one sector: cylinder 0, head 0, sector 2, of the drive in %dl */
	movw	$0x0201, %ax
	movw	$0x0002, %cx
	xorb	%dh, %dh
	movw	$text, %bx
	int	$0x13
	jc	halt
	movw	$text, %si
	movw	$0x3f8, %dx
next:
	lodsb
	testb	%al, %al
	jz	halt
	outb	%al, %dx
	jmp	next
halt:
	hlt
	jmp	halt
	.org	510
	.word	0xaa55
text:
	.asciz	"VSTATE-BOOTED\r\n"
	.org	1024
