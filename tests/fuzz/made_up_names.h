/* made_up_names.h - what adoptctl's readers look up, the same on every machine */
#ifndef MADE_UP_NAMES_H
#define MADE_UP_NAMES_H

#include "adoptctl/names.h"

/*
 * Services echo, discard, daytime, time, chargen (TCP and UDP), ftp and telnet (TCP), tftp
 * (UDP); hosts `here` with 192.0.2.1 and 2001:db8::1, `four` with 192.0.2.4, `six` with
 * 2001:db8::6; users root and nobody; groups root and tty.
 */
extern const struct names made_up_names;

#endif
