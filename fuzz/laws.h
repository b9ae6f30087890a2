/* SPDX-License-Identifier: MIT */
/* laws.h - properties that hold for everything that the library accepts; each function asserts
 * them. For more than one target to use. */
#ifndef FUZZ_LAWS_H
#define FUZZ_LAWS_H

#include "lwp/wire/message.h"
#include "lwp/wire/tlv.h"

/** An accepted frame and the bytes that it was split from. */
struct accepted_frame {
    enum lwp_polynomial polynomial;
    struct lwp_frame frame;
    struct lwp_bytes bytes;
};

/**
 * Encoding the frame, sealed again or not, gives its bytes, and a byte less of room is not enough.
 * lwp_frame_check() and lwp_frame_kind() agree with plain.h. A control frame's payload is what its
 * message is encoded to, and the rest; or the fault lies in it. The trace is one printable line
 * ended by a zero, and a smaller buffer gets the front of it.
 */
void law_frame(const struct accepted_frame *accepted);

/** A payload is what its message is encoded to, and the rest; or the fault lies in it. */
void law_message(uint8_t command, struct lwp_bytes payload);

/** lwp_record_check() and lwp_record_parts() agree with plain.h, the parts lie inside of the value,
 * and the builders put them together again. */
void law_record_parts(const struct lwp_record *record);

#endif
