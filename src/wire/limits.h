/*
 * Every number that put-protocol(7) fixes, with its unit. Both programs use
 * these names; neither writes one of the numbers anywhere else.
 */
#ifndef WIRE_LIMITS_H
#define WIRE_LIMITS_H

#include <stdint.h>

#define FRAME_LENGTH_SIZE  4	 /* bytes of the little-endian length field */
#define HEADER_MIN	   2	 /* bytes; "{}" */
#define HEADER_MAX	   65536 /* bytes */
#define HEADER_DEPTH_MAX   8	 /* levels of nesting; the object is level 1 */
#define INTEGER_MAX	   ((UINT64_C(1) << 53) - 1) /* of any JSON integer */
#define MTIME_END	   (INT64_C(1) << 33) /* seconds since 1970, exclusive */
#define NAME_COMPONENT_MAX 255		      /* bytes between two slashes */
#define NAME_MAX_BYTES	   4095		      /* bytes of a whole file name */
#define ID_MIN		   16		      /* characters of an upload's id */
#define ID_MAX		   64		      /* characters of an upload's id */
#define SHA256_HEX	   64		      /* hex digits of a digest */
#define RECEIPT_MAX	   32768	      /* bytes, its newline included */
#define COMMAND_ECHO_MAX   64 /* bytes of an unknown command told back */
#define PROTOCOL_VERSION   1

#endif
