/* SPDX-License-Identifier: MIT */
#include "mock_server/mutants.h"

#ifdef LWP_MUTANTS

void mutants_mend_front(struct lwp_session *session)
{
    const struct lwp_bytes front = lwp_bytes_from(lwp_queue_bytes(&session->in), session->taken);
    if (front.size < LWP_HEADER_SIZE)
        return;
    const enum lwp_polynomial polynomial = session->options.dialect->polynomial;
    struct lwp_header header;
    lwp_header_decode(front.data, &header);
    if (LWP_BUG(accepts_any_version))
        header.version = LWP_VERSION;
    if (LWP_BUG(accepts_any_version) || LWP_BUG(accepts_wrong_header_crc))
        header.header_crc = lwp_header_crc(&header, polynomial);
    const struct lwp_bytes rest = lwp_bytes_from(front, LWP_HEADER_SIZE);
    if (LWP_BUG(accepts_wrong_payload_crc) && rest.size >= header.payload_length)
        header.payload_crc =
            lwp_crc(polynomial, (struct lwp_bytes){rest.data, header.payload_length});
    lwp_header_encode(&header, session->in.data + session->in.start + session->taken);
}

#endif
