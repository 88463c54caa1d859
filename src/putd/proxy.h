/*
 * The PROXY protocol, versions 1 and 2, of HAProxy (proxy-protocol.txt): the
 * header with which a proxy tells whom it speaks for. Bytes in, an address out;
 * it touches no descriptor.
 */
#ifndef PUTD_PROXY_H
#define PUTD_PROXY_H

#include "putd/network.h"

#include <stddef.h>
#include <stdint.h>

#define PROXY_V1_MAX 107 /* bytes of a line, CR LF included */
#define PROXY_V2_MAX (16 + 65535)

/*
 * Reads a header at the start of bytes[0..length). Returns its size in bytes,
 * which may be larger than `length` for version 2 (then nothing but the size is
 * known yet); 0 where more bytes are needed to tell; -EBADMSG where it is none.
 * With a size <= length, *ret is the client: AF_UNSPEC where the proxy speaks
 * for itself (LOCAL, a health check) or does not know it (UNKNOWN).
 */
long proxy_parse(const uint8_t *bytes, size_t length, struct address *ret);

#endif
