/* kind.h - what a descriptor is, in words */
#ifndef DAEMON_KIND_H
#define DAEMON_KIND_H

#include <stddef.h>

/* Room for any text of kind_describe(). */
#define KIND_TEXT_SIZE 128

/*
 * Says what a descriptor is, with its article, for an error message: `a FIFO
 * (ListenFIFO=)`. The directive of systemd.socket(5) that hands such a
 * descriptor over is named where there is one for just that kind.
 * fd: any number, open or not.
 * buffer, size: where the text goes; KIND_TEXT_SIZE suffices.
 * Returns buffer.
 */
char *kind_describe(int fd, char *buffer, size_t size);

#endif
