// SPDX-License-Identifier: MIT
//! What the published Rust client can do against a server as it is deployed (`lance`); what does
//! not depend on the dialect is tested against `lance-py` as well.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use interop_rust::relay::{Deed, Relay};
use interop_rust::wire::{
    CATCHING_UP, COMMIT_OFFSET, CONTROL, CREATE_TOPIC, FETCH, Frame, INGEST, KEEPALIVE, SUBSCRIBE,
    TOPIC_RESPONSE, UNSUBSCRIBE, crc32, pattern, record, u32_at, u64_at,
};
use interop_rust::{
    connect, connect_consumer, content, fresh, lance, lance_py, make_filled, make_topic, refusal,
    run, store, unique,
};
use lnc_client::{
    AssignmentStrategy, ClientError, ClusterClient, ConnectionPool, ConnectionPoolConfig,
    ConsumerConfig, GroupConfig, GroupCoordinator, GroupedConsumer, Producer, ProducerConfig,
    ReconnectingClient, RecordType, SeekPosition, StandaloneConfig, StandaloneConsumer,
    StreamingConsumer, StreamingConsumerConfig, WorkerConfig, encode_record, parse_records,
};

fn both() -> [String; 2] {
    [lance(), lance_py()]
}

fn now_secs() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

// The connection.

#[test]
fn a_ping_is_answered() {
    run(async {
        for server in both() {
            let mut client = connect(&server).await;
            assert!(client.ping().await.unwrap() < Duration::from_secs(1));
            client.send_keepalive().await.unwrap();
            client.recv_keepalive().await.unwrap();
            client.close().await.unwrap();
        }
    });
}

#[test]
fn a_host_name_is_resolved() {
    run(async {
        let server = lance().replace("127.0.0.1", "localhost");
        connect(&server).await.ping().await.unwrap();
    });
}

#[test]
fn its_frames_are_the_known_bytes() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let mut client = connect(&relay.address).await;
        client.ping().await.unwrap();
        client.list_topics().await.unwrap();
        client.get_cluster_status().await.unwrap();
        let _ = client.set_retention(7, 86400, 1 << 30).await;
        let _ = client.fetch(7, 4096, 65536).await;
        let sent = relay.from_client();
        let heads: Vec<_> = sent
            .iter()
            .map(|frame| (frame.flags, frame.batch_id))
            .collect();
        let control = |command| (CONTROL, command);
        let five = [
            (KEEPALIVE, 0),
            control(3),
            control(7),
            control(5),
            control(FETCH),
        ];
        assert_eq!(heads, five);
        assert_eq!(sent[0].header_crc.to_le_bytes(), [0x06, 0x1e, 0x9c, 0x53]);
        assert_eq!(sent[1].header_crc.to_le_bytes(), [0x26, 0xd5, 0x4b, 0x1b]);
        assert_eq!(
            sent[3].payload,
            b"\x07\0\0\0\x80\x51\x01\0\0\0\0\0\0\0\0\x40\0\0\0\0"
        );
        assert_eq!(sent[3].payload_crc, 0x40f2_560f);
        assert_eq!(sent[4].payload, b"\x07\0\0\0\0\x10\0\0\0\0\0\0\0\0\x01\0");
        for frame in &sent {
            assert_eq!(frame.payload_crc, crc32(&frame.payload));
            let unused = (frame.version, frame.reserved, frame.timestamp_ns);
            assert_eq!(
                (unused, frame.record_count, frame.topic_id),
                ((1, 0, 0), 0, 0)
            );
        }
    });
}

#[test]
fn the_cluster_status_is_that_of_a_single_server() {
    run(async {
        for server in both() {
            let status = connect(&server).await.get_cluster_status().await.unwrap();
            assert_eq!((status.node_id, status.leader_id), (0, Some(0)));
            assert!(status.is_leader && status.quorum_available);
            let numbers = (status.current_term, status.node_count, status.healthy_nodes);
            assert_eq!(numbers, (0, 1, 1));
            assert!(status.peer_states.is_empty());
        }
    });
}

#[test]
fn a_cluster_client_takes_the_single_server_for_the_primary() {
    run(async {
        let server = lance();
        let mut cluster = ClusterClient::connect(&[&server]).await.unwrap();
        assert_eq!(cluster.primary().unwrap().to_string(), server);
        cluster.client().await.unwrap().ping().await.unwrap();
        cluster.refresh().await.unwrap();
        assert_eq!(cluster.nodes().len(), 1);
    });
}

#[test]
fn a_pool_hands_out_no_more_connections_than_allowed() {
    run(async {
        let config = ConnectionPoolConfig::new()
            .with_max_connections(2)
            .with_health_check_interval(0)
            .with_acquire_timeout(Duration::from_millis(100));
        let pool = ConnectionPool::new(&lance(), config).await.unwrap();
        let mut first = pool.get().await.unwrap();
        first.ping().await.unwrap();
        let second = pool.get().await.unwrap();
        assert!(matches!(pool.get().await, Err(ClientError::Timeout)));
        drop(second);
        pool.get().await.unwrap().ping().await.unwrap();
        assert_eq!(pool.stats().acquire_failures, 1);
    });
}

#[test]
fn a_reconnecting_client_connects_again() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let mut client = ReconnectingClient::connect(&relay.address).await.unwrap();
        client.client().await.unwrap().ping().await.unwrap();
        relay.cut();
        assert!(
            client
                .client()
                .await
                .unwrap()
                .ping()
                .await
                .unwrap_err()
                .is_retryable()
        );
        client.mark_failed();
        client.client().await.unwrap().ping().await.unwrap();
        assert_eq!(relay.connections_made(), 2);
    });
}

// Topics.

#[test]
fn a_created_topic_has_an_id_a_name_and_its_time() {
    run(async {
        for server in both() {
            let before = now_secs();
            let name = unique("Orders-2024");
            let topic = connect(&server).await.create_topic(&name).await.unwrap();
            assert!(topic.id > 0);
            assert_eq!((topic.name, topic.topic_epoch), (name, 1));
            assert!((before..=now_secs()).contains(&topic.created_at));
        }
    });
}

/// The only test that uses this server, so that it knows what is there.
#[test]
fn topics_are_listed_found_and_deleted() {
    run(async {
        let mut client = connect(&fresh()).await;
        assert!(client.list_topics().await.unwrap().is_empty());
        let kept = client.create_topic("kept").await.unwrap();
        let gone = client.create_topic("gone").await.unwrap();
        assert_eq!((kept.id, gone.id), (1, 2));
        store(&fresh(), gone.id, &[b"old"]).await;
        let mut listed = client.list_topics().await.unwrap();
        listed.sort_by_key(|topic| topic.id);
        let seen: Vec<_> = listed
            .iter()
            .map(|t| (t.id, &*t.name, t.created_at))
            .collect();
        assert_eq!(
            seen,
            [(1, "kept", kept.created_at), (2, "gone", gone.created_at)]
        );
        let got = client.get_topic(2).await.unwrap();
        assert_eq!(
            (got.id, &*got.name, got.created_at),
            (2, "gone", gone.created_at)
        );

        client.delete_topic(2).await.unwrap();
        assert_eq!(client.list_topics().await.unwrap().len(), 1);
        assert_eq!(refusal(client.get_topic(2).await), "Topic not found");
        assert_eq!(refusal(client.fetch(2, 0, 1).await), "Topic 2 not found");
        let ingest = client
            .send_ingest_to_topic_sync(2, Bytes::from("x"), 1, None)
            .await;
        assert_eq!(refusal(ingest), "Unknown topic");
        let again = client.create_topic("gone").await.unwrap();
        assert_eq!(again.id, 3);
        assert_eq!(content(&fresh(), 3).await, b"");
    });
}

#[test]
fn creating_what_exists_gives_the_same_topic() {
    run(async {
        for server in both() {
            let relay = Relay::to(&server).await;
            let mut client = connect(&relay.address).await;
            let name = unique("orders");
            let first = client.create_topic(&name).await.unwrap();
            let again = client.ensure_topic_default(&name).await.unwrap();
            assert_eq!((again.id, again.created_at), (first.id, first.created_at));
            assert_eq!(relay.asked(CREATE_TOPIC).len(), 2);
            assert_eq!(relay.connections_made(), 1);
        }
    });
}

#[test]
fn names_differ_by_case_and_may_be_long_or_dashes() {
    run(async {
        for server in both() {
            let mut client = connect(&server).await;
            let base = unique("-");
            let long = format!("{base}{}", "n".repeat(255 - base.len()));
            let mut ids = Vec::new();
            for name in [
                format!("{base}a"),
                format!("{base}A"),
                format!("-{base}-"),
                long,
            ] {
                let topic = client.create_topic(&name).await.unwrap();
                assert_eq!(topic.name, name);
                ids.push(topic.id);
            }
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), 4);
        }
    });
}

#[test]
fn bad_names_are_refused_in_the_words_of_the_server() {
    run(async {
        let mut client = connect(&lance()).await;
        let refused = "contains invalid characters. Only alphanumeric characters (a-z, A-Z, 0-9) \
                       and dashes (-) are allowed";
        for name in ["my_events", "a.b", "a b", "ключ"] {
            let text = refusal(client.create_topic_with_retention(name, 1, 1).await);
            assert_eq!(text, format!("Invalid data: Topic name '{name}' {refused}"));
            let text = refusal(client.ensure_topic(name, 1, 1).await);
            assert!(text.ends_with(refused), "{text}");
        }
        let text = refusal(client.ensure_topic("", 1, 1).await);
        assert!(text.ends_with("Topic name required"), "{text}");
        let text = refusal(client.create_topic_with_retention("", 1, 1).await);
        assert_eq!(text, "Invalid data: Topic name must not be empty");
        let text = refusal(client.ensure_topic(&"n".repeat(256), 1, 1).await);
        assert!(
            text.ends_with("I/O error: File name too long (os error 36)"),
            "{text}"
        );
    });
}

#[test]
fn retention_is_set_and_answered() {
    run(async {
        for server in both() {
            let relay = Relay::to(&server).await;
            let mut client = connect(&relay.address).await;
            let name = unique("kept");
            let topic = client
                .create_topic_with_retention(&name, 3600, 1 << 63)
                .await
                .unwrap();
            client
                .set_retention(topic.id, 86400, 1 << 40)
                .await
                .unwrap();
            let answers = relay.answered(TOPIC_RESPONSE);
            let (id, made) = (topic.id, topic.created_at);
            assert_eq!(
                answers[0].text(),
                format!(r#"{{"created_at":{made},"id":{id},"max_age_secs":3600,"#,)
                    + &format!(
                        r#""max_bytes":9223372036854775808,"name":"{name}","topic_epoch":1}}"#
                    )
            );
            assert_eq!(
                answers[1].text(),
                format!(r#"{{"max_age_secs":86400,"max_bytes":1099511627776,"topic_id":{id}}}"#)
            );
        }
    });
}

#[test]
fn unlike_create_topic_creating_with_retention_refuses_what_exists() {
    run(async {
        let name = unique("kept");
        let mut client = connect(&lance()).await;
        client.create_topic(&name).await.unwrap();
        let text = refusal(client.create_topic_with_retention(&name, 1, 1).await);
        assert_eq!(text, format!("Topic '{name}' already exists"));
    });
}

#[test]
fn unknown_topics_are_refused_and_the_connection_stays() {
    run(async {
        let server = lance();
        let mut client = connect(&server).await;
        let id = 4_000_000_000;
        let named = format!("Configuration error: Topic {id} not found");
        assert_eq!(refusal(client.get_topic(id).await), "Topic not found");
        assert_eq!(refusal(client.delete_topic(id).await), named);
        assert_eq!(refusal(client.set_retention(id, 1, 1).await), named);
        assert_eq!(
            refusal(client.fetch(id, 0, 100).await),
            format!("Topic {id} not found")
        );
        assert_eq!(
            refusal(client.subscribe(id, 0, 100, 1).await),
            "Topic not found"
        );
        let ingest = client
            .send_ingest_to_topic_sync(id, Bytes::from("x"), 1, None)
            .await;
        assert_eq!(refusal(ingest), "Unknown topic");
        assert_eq!(
            client
                .commit_offset(id, 1, 5)
                .await
                .unwrap()
                .committed_offset,
            5
        );
        client.unsubscribe(id, 1).await.unwrap();
        client.ping().await.unwrap();

        let producer = Producer::connect(&server, ProducerConfig::new())
            .await
            .unwrap();
        let text = refusal(producer.send(id, b"x").await);
        assert_eq!(text, "Server error: Unknown topic");
        let mut consumer = connect_consumer(&server, ConsumerConfig::new(id)).await;
        assert_eq!(
            refusal(consumer.poll().await),
            format!("Topic {id} not found")
        );
        let standalone = StandaloneConsumer::connect(&server, StandaloneConfig::new("r", id));
        assert_eq!(refusal(standalone.await), "Topic not found");
    });
}

// Producing.

#[test]
fn frames_are_numbered_from_1_and_acked_in_order() {
    run(async {
        for server in both() {
            let topic_id = make_topic(&server, "pipeline").await;
            let mut client = connect(&server).await;
            let mut expected: Vec<u8> = Vec::new();
            for number in 1..=1000 {
                let value = format!("value {number};");
                expected.extend(value.as_bytes());
                let sent = client.send_ingest_to_topic(topic_id, Bytes::from(value), 1, None);
                assert_eq!(sent.await.unwrap(), number);
            }
            for number in 1..=1000 {
                assert_eq!(client.recv_ack().await.unwrap(), number);
            }
            assert_eq!(content(&server, topic_id).await, expected);
        }
    });
}

#[test]
fn an_ingest_frame_has_its_time_count_and_topic() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let topic_id = make_topic(&lance(), "events").await;
        let mut client = connect(&relay.address).await;
        let before = u128::from(now_secs()) * 1_000_000_000;
        let value = Bytes::from("value");
        client
            .send_ingest_to_topic_sync(topic_id, value, 77, None)
            .await
            .unwrap();
        let frame = relay.sent(INGEST).remove(0);
        assert!(u128::from(frame.timestamp_ns) >= before);
        assert_eq!((frame.record_count, frame.topic_id), (77, topic_id));
        assert_eq!(
            (&*frame.payload, frame.payload_crc),
            (&b"value"[..], crc32(b"value"))
        );
    });
}

#[test]
fn the_default_topic_takes_records_and_gives_none() {
    run(async {
        let mut client = connect(&lance()).await;
        assert_eq!(
            client
                .send_ingest_sync(Bytes::from("value"), 1)
                .await
                .unwrap(),
            1
        );
        assert_eq!(refusal(client.fetch(0, 0, 100).await), "Topic 0 not found");
        assert_eq!(
            client.subscribe(0, 0, 100, 1).await.unwrap().start_offset,
            0
        );
    });
}

#[test]
fn a_producer_sends_single_records() {
    run(async {
        for server in both() {
            let topic_id = make_topic(&server, "single").await;
            let producer = Producer::connect(&server, ProducerConfig::new())
                .await
                .unwrap();
            let first = producer.send(topic_id, b"first ").await.unwrap();
            let second = producer.produce_single(topic_id, b"second").await.unwrap();
            assert_eq!((first.batch_id, second.batch_id), (1, 2));
            assert_eq!((first.topic_id, first.offset_in_batch), (topic_id, 0));
            let metrics = producer.metrics();
            let numbers = (
                metrics.records_sent,
                metrics.bytes_sent,
                metrics.batches_sent,
            );
            assert_eq!(
                (numbers, metrics.errors, metrics.buffer_size),
                ((2, 12, 2), 0, 0)
            );
            assert!(producer.is_healthy());
            producer.close().await.unwrap();
            assert_eq!(content(&server, topic_id).await, b"first second");
        }
    });
}

#[test]
fn a_producer_makes_one_batch_of_many_records() {
    run(async {
        for server in both() {
            let relay = Relay::to(&server).await;
            let topic_id = make_topic(&server, "batch").await;
            let config = ProducerConfig::new()
                .with_linger_ms(60_000)
                .with_batch_size(1 << 20);
            let producer = Producer::connect(&relay.address, config).await.unwrap();
            let mut expected: Vec<u8> = Vec::new();
            for number in 0..100 {
                let value = record(0x01, format!("value {number}").as_bytes());
                producer.send_async(topic_id, &value).await.unwrap();
                expected.extend(value);
            }
            assert_eq!(relay.sent(INGEST), []);
            producer.flush().await.unwrap();
            let sent = relay.sent(INGEST);
            assert_eq!((sent.len(), sent[0].record_count), (1, 100));
            producer.close().await.unwrap();
            assert_eq!(content(&server, topic_id).await, expected);
        }
    });
}

#[test]
fn a_producer_sends_a_full_batch_at_once() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let topic_id = make_topic(&lance(), "full").await;
        let config = ProducerConfig::new()
            .with_linger_ms(60_000)
            .with_batch_size(100);
        let producer = Producer::connect(&relay.address, config).await.unwrap();
        for _ in 0..5 {
            producer.send_async(topic_id, &[7; 40]).await.unwrap();
        }
        let sent = relay.sent(INGEST);
        assert_eq!(
            (sent.len(), sent[0].payload.len(), sent[0].record_count),
            (1, 120, 3)
        );
        producer.close().await.unwrap();
        assert_eq!(content(&lance(), topic_id).await, [7; 200]);
    });
}

#[test]
fn a_producer_sends_what_lingers() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let topic_id = make_topic(&lance(), "linger").await;
        let producer = Producer::connect(&relay.address, ProducerConfig::new())
            .await
            .unwrap();
        producer.try_send(topic_id, b"value").await.unwrap();
        relay.until(|relay| relay.from_server().len() == 1).await;
        assert_eq!(content(&lance(), topic_id).await, b"value");
    });
}

#[test]
fn a_producer_sends_many_records_to_many_topics() {
    run(async {
        let server = lance();
        let producer = Producer::connect(&server, ProducerConfig::new())
            .await
            .unwrap();
        let mut expected = Vec::new();
        for _ in 0..5 {
            expected.push((make_topic(&server, "many").await, Vec::new()));
        }
        for number in 0..20_000_usize {
            let (topic_id, bytes) = &mut expected[number % 5];
            let value = record(0x01, format!("value {number}").as_bytes());
            producer.send_async(*topic_id, &value).await.unwrap();
            bytes.extend(value);
        }
        producer.close().await.unwrap();
        for (topic_id, bytes) in expected {
            assert!(content(&server, topic_id).await == bytes);
        }
    });
}

#[test]
fn a_producer_waits_for_each_of_a_list() {
    run(async {
        let topic_id = make_topic(&lance(), "list").await;
        let producer = Producer::connect(&lance(), ProducerConfig::new())
            .await
            .unwrap();
        let acks = producer
            .produce(topic_id, &["a", "bc", "def"])
            .await
            .unwrap();
        let ids: Vec<_> = acks.iter().map(|ack| ack.batch_id).collect();
        assert_eq!(ids, [1, 2, 3]);
        assert_eq!(content(&lance(), topic_id).await, b"abcdef");
    });
}

#[test]
fn a_producer_calls_back() {
    run(async {
        let topic_id = make_topic(&lance(), "callback").await;
        let producer = Producer::connect(&lance(), ProducerConfig::new())
            .await
            .unwrap();
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = move |outcome: Result<lnc_client::SendAck, _>| {
            let _ = tell.send(outcome.map(|ack| (ack.batch_id, ack.topic_id)));
        };
        producer
            .send_callback(topic_id, b"value", tell)
            .await
            .unwrap();
        assert_eq!(told.await.unwrap().unwrap(), (1, topic_id));
    });
}

#[test]
fn a_producer_holds_no_more_than_its_memory() {
    run(async {
        let topic_id = make_topic(&lance(), "memory").await;
        let config = ProducerConfig::new()
            .with_buffer_memory(10)
            .with_linger_ms(60_000);
        let producer = Producer::connect(&lance(), config).await.unwrap();
        producer.send_async(topic_id, &[1; 10]).await.unwrap();
        let more = producer.try_send(topic_id, &[2]).await;
        assert!(matches!(more, Err(ClientError::WouldBlock)));
        let more = producer.send(topic_id, &[2]).await;
        assert!(matches!(more, Err(ClientError::ServerBackpressure)));
        producer.flush().await.unwrap();
        producer.send_async(topic_id, &[3; 10]).await.unwrap();
        producer.close().await.unwrap();
        assert_eq!(
            content(&lance(), topic_id).await,
            [[1; 10], [3; 10]].concat()
        );
    });
}

#[test]
fn a_producer_sends_again_after_a_failed_forward() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let topic_id = make_topic(&lance(), "forward").await;
        let text = "FORWARD_FAILED: Leader address unknown";
        relay.alter_once(|_| Deed::Send(Frame::error(text).encode()));
        let producer = Producer::connect(&relay.address, ProducerConfig::new())
            .await
            .unwrap();
        assert_eq!(producer.send(topic_id, b"value").await.unwrap().batch_id, 1);
        assert_eq!((relay.sent(INGEST).len(), relay.connections_made()), (2, 2));
        assert_eq!(producer.metrics().errors, 1);
    });
}

// Consuming.

#[test]
fn every_byte_is_fetched_in_pieces_of_any_size() {
    run(async {
        for server in both() {
            let expected = pattern(5000);
            let topic_id = make_filled(&server, "bytes", &expected).await;
            for max_bytes in [1, 7, 4096, 5000, 5001, u32::MAX] {
                let config = ConsumerConfig::new(topic_id).with_max_fetch_bytes(max_bytes);
                let mut consumer = connect_consumer(&server, config).await;
                let mut read = Vec::new();
                while let Some(result) = consumer.poll().await.unwrap() {
                    let left = expected.len() - read.len();
                    assert_eq!(result.data.len(), left.min(max_bytes as usize));
                    assert_eq!(result.record_count, 1);
                    read.extend_from_slice(&result.data);
                    assert_eq!(result.current_offset, read.len() as u64);
                }
                assert!(read == expected, "pieces of {max_bytes}");
                assert_eq!(consumer.current_offset(), 5000);
            }
        }
    });
}

#[test]
fn a_large_stream_arrives_whole() {
    run(async {
        let expected = pattern(8 << 20);
        let topic_id = make_topic(&lance(), "large").await;
        let pieces: Vec<_> = expected.chunks(3 << 20).collect();
        store(&lance(), topic_id, &pieces).await;
        let config = ConsumerConfig::new(topic_id).with_max_fetch_bytes(1_000_003);
        let mut consumer = connect_consumer(&lance(), config).await;
        let mut read = Vec::new();
        while let Some(result) = consumer.poll().await.unwrap() {
            read.extend_from_slice(&result.data);
        }
        assert!(read == expected);
    });
}

#[test]
fn its_records_come_back_as_they_were_encoded() {
    run(async {
        let every_byte: Vec<u8> = (0..=255).collect();
        let kinds = [
            (RecordType::Data, 0x01, &every_byte[..]),
            (RecordType::Tombstone, 0x02, b""),
            (RecordType::Transaction, 0x03, b"begin"),
            (RecordType::Checkpoint, 0x04, b"point"),
            (RecordType::Schema, 0x05, b"{}"),
            (RecordType::Compressed, 0x10, b"not really"),
            (RecordType::UserDefined, 0x80, b"the user's own"),
        ];
        let producer = Producer::connect(&lance(), ProducerConfig::new())
            .await
            .unwrap();
        let topic_id = make_topic(&lance(), "records").await;
        let mut expected = Vec::new();
        for (kind, byte, value) in kinds {
            let encoded = encode_record(kind, value);
            assert_eq!(encoded, record(byte, value));
            producer.send(topic_id, &encoded).await.unwrap();
            expected.push((kind, byte, value.to_vec()));
        }
        let stream = Bytes::from(content(&lance(), topic_id).await);
        let parsed = parse_records(stream).unwrap();
        let parsed = parsed
            .iter()
            .map(|r| (r.record_type, r.type_byte, r.payload.to_vec()));
        assert_eq!(parsed.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn a_fetch_says_where_the_stream_ends() {
    run(async {
        let topic_id = make_filled(&lance(), "end", b"0123456789").await;
        let mut client = connect(&lance()).await;
        let cases: [(u64, u32, &[u8], u64); 7] = [
            (0, 100, b"0123456789", 10),
            (4, 3, b"456", 7),
            (9, 1, b"9", 10),
            (10, 100, b"", 10),
            (0, 0, b"", 0),
            (u64::MAX, 1, b"", 10),
            (u64::MAX, 0, b"", 10),
        ];
        for (start, max_bytes, data, next_offset) in cases {
            let answer = client.fetch(topic_id, start, max_bytes).await.unwrap();
            assert_eq!((&*answer.data, answer.next_offset), (data, next_offset));
            assert_eq!(answer.bytes_returned as usize, data.len());
            assert_eq!(answer.record_count, u32::from(!data.is_empty()));
        }
        for beyond in [11, u64::MAX - 1] {
            match client.fetch(topic_id, beyond, 100).await {
                Err(ClientError::ServerCatchingUp { server_offset: 10 }) => (),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_consumer_seeks() {
    run(async {
        let topic_id = make_filled(&lance(), "seek", b"0123456789").await;
        let config = ConsumerConfig::new(topic_id)
            .with_start_position(SeekPosition::Offset(6))
            .with_max_fetch_bytes(2);
        let mut consumer = connect_consumer(&lance(), config).await;
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "67");
        consumer.rewind().await.unwrap();
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "01");
        consumer.seek_to_offset(9).await.unwrap();
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "9");
        assert!(consumer.poll().await.unwrap().is_none());
        assert!(consumer.poll_blocking().await.unwrap().is_empty());
    });
}

#[test]
fn a_consumer_that_starts_at_the_end_sees_only_what_is_new() {
    run(async {
        let topic_id = make_filled(&lance(), "new", b"old").await;
        let config = ConsumerConfig::new(topic_id).with_start_position(SeekPosition::End);
        let mut consumer = connect_consumer(&lance(), config).await;
        assert!(consumer.poll().await.unwrap().is_none());
        assert_eq!(consumer.current_offset(), 3);
        store(&lance(), topic_id, &[b"new"]).await;
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "new");
    });
}

#[test]
fn a_consumer_reads_on_after_a_lost_connection() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let topic_id = make_filled(&lance(), "lost", b"0123456789").await;
        let config = ConsumerConfig::new(topic_id).with_max_fetch_bytes(5);
        let mut consumer = connect_consumer(&relay.address, config).await;
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "01234");
        relay.cut();
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "56789");
        assert_eq!(relay.connections_made(), 2);
    });
}

/// It waits 5 s in between, so this is the slowest of the tests.
#[test]
fn a_consumer_waits_for_a_server_that_is_catching_up() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let topic_id = make_filled(&lance(), "behind", b"01234").await;
        let config = ConsumerConfig::new(topic_id).with_start_position(SeekPosition::Offset(8));
        let mut consumer = connect_consumer(&relay.address, config).await;
        let poll = tokio::spawn(async move { consumer.poll().await });
        relay
            .until(|relay| relay.answered(CATCHING_UP).len() == 1)
            .await;
        assert_eq!(u64_at(&relay.answered(CATCHING_UP)[0].payload, 0), 5);
        store(&lance(), topic_id, &[b"56789"]).await;
        assert_eq!(poll.await.unwrap().unwrap().unwrap().data, "89");
        assert_eq!((relay.asked(FETCH).len(), relay.connections_made()), (2, 1));
    });
}

// Subscriptions and commits.

#[test]
fn a_subscription_starts_where_it_is_told_or_where_it_was() {
    run(async {
        let topic_id = make_topic(&lance(), "subscribed").await;
        let mut client = connect(&lance()).await;
        let mut other = connect(&lance()).await;
        for start in [0, 100, u64::MAX] {
            let made = client.subscribe(topic_id, start, 65536, 7).await.unwrap();
            assert_eq!((made.consumer_id, made.start_offset), (7, start));
        }
        for offset in [5000, 10, u64::MAX, 1000] {
            let made = client.commit_offset(topic_id, 7, offset).await.unwrap();
            assert_eq!((made.consumer_id, made.committed_offset), (7, offset));
        }
        client.unsubscribe(topic_id, 7).await.unwrap();
        client.unsubscribe(topic_id, 7).await.unwrap();
        let starts = [
            (7, 0, 1000),
            (7, 100, 100),
            (8, 0, 0),
            (7, u64::MAX, u64::MAX),
        ];
        for (consumer_id, asked, given) in starts {
            let made = other
                .subscribe(topic_id, asked, 65536, consumer_id)
                .await
                .unwrap();
            assert_eq!(made.start_offset, given);
        }
    });
}

#[test]
fn a_streaming_consumer_subscribes_reads_commits_and_stops() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let expected = pattern(1000);
        let topic_id = make_filled(&lance(), "streaming", &expected).await;
        let config = StreamingConsumerConfig::new(topic_id)
            .with_max_batch_bytes(64)
            .with_auto_commit_interval(0);
        let mut consumer = StreamingConsumer::new(connect(&relay.address).await, config);
        assert!(consumer.poll().await.is_err());
        consumer.start().await.unwrap();
        assert!(consumer.is_subscribed());
        let mut read = Vec::new();
        while let Some(result) = consumer.poll().await.unwrap() {
            read.extend_from_slice(&result.data);
        }
        assert!(read == expected);
        consumer.commit().await.unwrap();
        assert_eq!(
            (consumer.current_offset(), consumer.committed_offset()),
            (1000, 1000)
        );
        let id = consumer.consumer_id();
        consumer.into_client().await.unwrap().ping().await.unwrap();

        let subscribe = &relay.asked(SUBSCRIBE)[0].payload;
        assert_eq!(
            (u32_at(subscribe, 0), u32_at(subscribe, 12)),
            (topic_id, 64)
        );
        assert_eq!((u64_at(subscribe, 4), u64_at(subscribe, 16)), (0, id));
        let commits = relay.asked(COMMIT_OFFSET);
        assert_eq!((commits.len(), u64_at(&commits[0].payload, 12)), (1, 1000));
        assert_eq!(u64_at(&relay.asked(UNSUBSCRIBE)[0].payload, 4), id);
    });
}

#[test]
fn a_streaming_consumer_commits_by_itself() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let topic_id = make_filled(&lance(), "auto", b"01").await;
        let config = StreamingConsumerConfig::new(topic_id)
            .with_max_batch_bytes(1)
            .with_auto_commit_interval(1);
        let mut consumer = StreamingConsumer::new(connect(&relay.address).await, config);
        consumer.start().await.unwrap();
        consumer.poll().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        consumer.poll().await.unwrap();
        assert_eq!(
            (consumer.committed_offset(), consumer.current_offset()),
            (1, 2)
        );
        assert_eq!(relay.asked(COMMIT_OFFSET).len(), 1);
    });
}

// Groups: among clients only. The server sees consumers like any others.

#[test]
fn a_group_shares_the_topics_among_its_workers() {
    run(async {
        let server = lance();
        let mut topics = Vec::new();
        for value in [b"one", b"two"] {
            topics.push(make_filled(&server, "group", value).await);
        }
        let config = GroupConfig::new("group")
            .with_topics(topics.clone())
            .with_coordinator_addr("127.0.0.1:0".parse().unwrap())
            .with_assignment_strategy(AssignmentStrategy::RoundRobin);
        let coordinator = GroupCoordinator::start(&server, config).await.unwrap();
        let at = coordinator.join_address();
        let join = |name| GroupedConsumer::join(&server, at, WorkerConfig::new(name));
        let mut first = join("worker-1").await.unwrap();
        assert_eq!(first.assignments(), topics);
        let second = join("worker-2").await.unwrap();
        first.heartbeat().await.unwrap();
        let mut shared = [first.assignments(), second.assignments()].concat();
        assert_eq!(
            (first.assignments().len(), second.assignments().len()),
            (1, 1)
        );
        shared.sort_unstable();
        assert_eq!(shared, topics);

        let read = Mutex::new(Vec::new());
        for mut worker in [first, second] {
            let topic_id = worker.assignments()[0];
            let result = worker.poll(topic_id).await.unwrap().unwrap();
            read.lock().unwrap().push(result.data.to_vec());
            worker.commit(topic_id).await.unwrap();
            worker.leave().await.unwrap();
        }
        let mut read = read.into_inner().unwrap();
        read.sort();
        assert_eq!(read, [b"one", b"two"]);
        // It is told of a leave, and does not answer.
        while coordinator.worker_count().await > 0 {
            tokio::task::yield_now().await;
        }
        coordinator.stop();
    });
}

// Together.

#[test]
fn producers_and_consumers_work_side_by_side() {
    run(async {
        for server in both() {
            let topic_id = make_topic(&server, "together").await;
            let config = ProducerConfig::new().with_linger_ms(1);
            let producer = Arc::new(Producer::connect(&server, config).await.unwrap());
            let mut sending = Vec::new();
            for sender in 0..8_u8 {
                let producer = Arc::clone(&producer);
                sending.push(tokio::spawn(async move {
                    for number in 0..50_u8 {
                        producer
                            .send(topic_id, &record(0x80, &[sender, number]))
                            .await
                            .unwrap();
                    }
                }));
            }
            let config = ConsumerConfig::new(topic_id).with_max_fetch_bytes(7 * 3);
            let mut consumer = connect_consumer(&server, config).await;
            let mut next = [0; 8];
            while next.iter().any(|count| *count < 50) {
                let Some(result) = consumer.poll().await.unwrap() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                for record in parse_records(result.data).unwrap() {
                    let sender = usize::from(record.payload[0]);
                    assert_eq!(record.payload[1], next[sender]);
                    next[sender] += 1;
                }
            }
            for sender in sending {
                sender.await.unwrap();
            }
        }
    });
}
