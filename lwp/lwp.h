/* SPDX-License-Identifier: MIT */
/*
 * lwp.h - the library for the Lance Wire Protocol: everything that a program needs that speaks with a
 * Lance server.
 *
 *   lwp_client_…         topics, retention, offsets, cluster status, ping     lwp/client/client.h
 *   lwp_producer_…       records into topics                                  lwp/client/producer.h
 *   lwp_consumer_…       records out of a topic                               lwp/client/consumer.h
 *   lwp_offset_store_…   where a consumer keeps its place                     lwp/client/offset_store.h
 *   lwp_tls_client_…     TLS, with lwp_security_of()                          lwp/client/security.h
 *   lwp_tlv_…            records: builders, a walk over them, accessors       lwp/wire/tlv.h
 *   lwp_status_…         what a status means, whether trying again can help   lwp/wire/status.h
 *   lwp_dialect_…        which of the wires to speak                          lwp/wire/dialect.h
 *
 * A record goes in and comes out like this, but for the looks at what each call returns:
 *
 *     struct lwp_producer_options options = lwp_producer_defaults("localhost:1992");
 *     struct lwp_producer *producer;
 *     lwp_producer_open(&options, &producer, NULL);
 *     struct lwp_outgoing record = {.topic_id = 1, .type = LWP_TLV_RAW,
 *                                   .parts = {lwp_bytes_text("hello")}};
 *     lwp_producer_send(producer, &record);
 *     lwp_producer_close(producer, 1000);
 *
 *     struct lwp_consumer_options from = lwp_consumer_defaults("localhost:1992", "reader", 1);
 *     struct lwp_consumer *consumer;
 *     struct lwp_batch batch;
 *     lwp_consumer_open(&from, &consumer, NULL);
 *     while (lwp_consumer_poll(consumer, 1000, &batch) == LWP_OK) {
 *         struct lwp_tlv_walk walk = lwp_tlv_walk_over(batch.data);
 *         struct lwp_record found;
 *         while (lwp_tlv_next(&walk, &found) == LWP_OK)
 *             fwrite(found.value.data, 1, found.value.size, stdout);
 *     }
 *     lwp_consumer_close(consumer);
 *
 * Each handle has a connection of its own, and a thread that keeps it going; or the caller drives it
 * from his own loop (`caller_driven`). Nothing prints, exits or uses global state.
 */
#ifndef LWP_LWP_H
#define LWP_LWP_H

#include "lwp/client/client.h"
#include "lwp/client/consumer.h"
#include "lwp/client/offset_store.h"
#include "lwp/client/producer.h"
#include "lwp/client/security.h"
#include "lwp/wire/tlv.h"

#endif
