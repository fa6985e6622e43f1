# shellcheck shell=bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright(c) 2026 vstate contributors
#
# Completion of dpdk-test-vdpa for bash. The commands and options are those that the tool itself
# prints, so that this file need not know them.

# Print the options of command $1.
_dpdk_test_vdpa_options()
{
	"${COMP_WORDS[0]}" "$1" --help 2>/dev/null | grep -oE '^  --[a-z-]+' | tr -d ' '
}

# Complete the words after "ctl": the socket, the command, its file.
_dpdk_test_vdpa_ctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} i words=()
	for ((i = 2; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--device|--timeout-us|--seconds) i=$((i + 1)) ;;
		-*) ;;
		*) words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	case ${#words[@]},${words[1]:-} in
	0,*|2,save|2,load) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	1,*) mapfile -t COMPREPLY < <(compgen -W \
		'list show statistics suspend resume save load release watch' -- "$cur") ;;
	esac
}

# Print the names of the devices behind the control socket on the line, if there is one.
_dpdk_test_vdpa_devices()
{
	local word
	for word in "${COMP_WORDS[@]:2}"; do
		[ -S "$word" ] || continue
		"${COMP_WORDS[0]}" ctl "$word" list 2>/dev/null | sed '1d; s/ .*//'
	done
}

_dpdk_test_vdpa()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]:-}
	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ] || [ "$command,$COMP_CWORD" = help,2 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" --help 2>/dev/null |
			sed -nE 's/^  ([a-z]+) .*/\1/p') --help --version" -- "$cur")
	elif [ "$command" = ctl ] && [ "$prev" = --device ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_dpdk_test_vdpa_devices)" -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_dpdk_test_vdpa_options "$command")" -- "$cur")
	elif [ "$command" = ctl ]; then
		_dpdk_test_vdpa_ctl
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}
complete -o filenames -F _dpdk_test_vdpa dpdk-test-vdpa
