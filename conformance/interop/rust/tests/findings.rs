// SPDX-License-Identifier: MIT
//! What the published Rust client gets wrong, asserted as it is.
//!
//! Each test has the number of its finding and what a user suffers from it. A test that fails here
//! means that the client, or what our server says to it, has changed. The server is `lance`, the
//! one that is deployed, unless a test says otherwise.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use interop_rust::relay::{Deed, Relay};
use interop_rust::wire::{
    ACK, BACKPRESSURE, COMMIT_ACK, COMMIT_OFFSET, CREATE_TOPIC, FETCH, Frame, INGEST, KEEPALIVE,
    LIST_TOPICS, SUBSCRIBE_ACK, TOPIC_RESPONSE, UNSUBSCRIBE, crc32, crc32c, u64_at,
};
use interop_rust::{
    PATIENCE, breach, connect, connect_consumer, connect_with, content, folder, guarded, is_stuck,
    lance, make_filled, make_topic, misfit, refusal, run, spec, store, unique, within,
};
use lnc_client::{
    ClientError, ClusterClient, ConnectionPool, ConnectionPoolConfig, ConsumerConfig, GroupConfig,
    GroupCoordinator, GroupedConsumer, LockFileOffsetStore, OffsetStore, Producer, ProducerConfig,
    ReconnectingClient, RecordIterator, SeekPosition, StandaloneConfig, StandaloneConsumer,
    StreamingConsumer, StreamingConsumerConfig, WorkerConfig, parse_not_leader_error,
    parse_records,
};

/// A relay to a new topic that holds the value.
async fn relay_to_filled(value: &[u8]) -> (Relay, u32) {
    let topic_id = make_filled(&lance(), "finding", value).await;
    (Relay::to(&lance()).await, topic_id)
}

async fn relay_to_empty() -> (Relay, u32) {
    (
        Relay::to(&lance()).await,
        make_topic(&lance(), "finding").await,
    )
}

async fn producer(relay: &Relay) -> Producer {
    let made = Producer::connect(&relay.address, ProducerConfig::new()).await;
    made.unwrap()
}

async fn streaming(relay: &Relay, topic_id: u32) -> StreamingConsumer {
    let config = StreamingConsumerConfig::new(topic_id).with_auto_commit_interval(0);
    let mut consumer = StreamingConsumer::new(connect(&relay.address).await, config);
    consumer.start().await.unwrap();
    consumer
}

// The wire.

/// B-01. A user who builds a server after the specification can not be spoken to.
#[test]
fn its_crc32c_is_the_crc32_of_zlib() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        producer(&relay)
            .await
            .send(topic_id, b"value")
            .await
            .unwrap();
        let frame = relay.sent(INGEST).remove(0);
        assert_eq!(frame.header_crc, crc32(&frame.encode()[..8]));
        assert_ne!(frame.header_crc, crc32c(&frame.encode()[..8]));
        assert_eq!(frame.payload_crc, crc32(b"value"));
    });
}

/// B-01. The user sees a lost connection and no reason.
#[test]
fn a_server_true_to_the_specification_hangs_up_on_it() {
    run(async {
        let error = connect(&spec()).await.ping().await.unwrap_err();
        assert!(matches!(
            error,
            ClientError::ConnectionClosed | ClientError::IoError(_)
        ));
    });
}

/// B-02. The user takes a frame whose header was damaged on the way for whole.
#[test]
fn damage_behind_the_first_8_bytes_of_a_header_is_not_seen() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"value").await;
        relay.alter(|frame| {
            let mut damaged = frame.clone();
            damaged.batch_id ^= 0x4000;
            damaged.timestamp_ns = 1;
            damaged.record_count = 77;
            damaged.topic_id = 77;
            Deed::Send(damaged.encode())
        });
        let answer = connect(&relay.address)
            .await
            .fetch(topic_id, 0, 100)
            .await
            .unwrap();
        assert_eq!(answer.data, "value");
    });
}

/// B-02. One bit of the size makes the user wait for bytes that never come.
#[test]
fn a_damaged_size_is_waited_for() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"value").await;
        relay.alter(|frame| {
            let mut bytes = frame.encode();
            bytes[34] ^= 1;
            Deed::Send(bytes)
        });
        let mut client = connect(&relay.address).await;
        assert!(is_stuck(client.fetch(topic_id, 0, 100)).await);
    });
}

/// B-03. What the user has stored can not be read with the size that it was stored with.
#[test]
fn the_largest_payload_is_stored_and_can_not_be_fetched_at_once() {
    run(async {
        const LARGEST: usize = 16 << 20;
        const READABLE: u32 = 16_777_156;
        let topic_id = make_topic(&lance(), "largest").await;
        store(&lance(), topic_id, &[&vec![7; LARGEST]]).await;
        let mut client = connect(&lance()).await;
        let answer = client.fetch(topic_id, 0, READABLE).await.unwrap();
        assert_eq!(answer.data.len(), READABLE as usize);
        let text = refusal(client.fetch(topic_id, 0, READABLE + 1).await);
        assert_eq!(text, "Frame too large: 16777217 bytes");
    });
}

/// B-04. After one bad frame the user's client repeats the old error for good, and what it asks is
/// done all the same.
#[test]
fn a_bad_frame_poisons_the_connection() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        relay.alter_once(|frame| {
            let mut damaged = frame.clone();
            damaged.header_crc ^= 1;
            Deed::Send(damaged.encode())
        });
        let mut client = connect(&relay.address).await;
        let first = breach(client.ping().await);
        assert!(
            first.starts_with("CRC mismatch: expected 0x539c1e07, got 0x539c1e06"),
            "{first}"
        );
        assert_eq!(breach(client.list_topics().await), first);
        let value = Bytes::from("value");
        let sent = client
            .send_ingest_to_topic_sync(topic_id, value, 1, None)
            .await;
        assert_eq!(breach(sent), first);
        relay.until(|relay| relay.from_server().len() == 3).await;
        assert_eq!(content(&lance(), topic_id).await, b"value");
    });
}

/// B-04. The user's producer says that every send has failed, and all of them are stored.
#[test]
fn a_bad_frame_poisons_a_producer() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        relay.alter_once(|_| Deed::Send(vec![0; 44]));
        let producer = producer(&relay).await;
        for value in [b"1", b"2", b"3"] {
            let text = refusal(producer.send(topic_id, value).await);
            assert!(text.contains("Invalid magic bytes"), "{text}");
        }
        relay.until(|relay| relay.from_server().len() == 3).await;
        assert_eq!(relay.connections_made(), 1);
        assert_eq!(content(&lance(), topic_id).await, b"123");
    });
}

/// B-05. A user who has once waited too long gets the data of one topic for another.
#[test]
fn a_late_answer_is_taken_for_the_answer_to_the_next_question() {
    run(async {
        let (relay, first) = relay_to_filled(b"of the first").await;
        let second = make_filled(&lance(), "second", b"of the second").await;
        let wait = Duration::from_millis(100);
        let mut client = connect_with(&relay.address, |c| c.read_timeout = wait).await;
        relay.hold();
        let late = client.fetch(first, 0, 100).await;
        assert!(matches!(late, Err(ClientError::Timeout)));
        relay.release();
        assert_eq!(
            client.fetch(second, 0, 100).await.unwrap().data,
            "of the first"
        );
    });
}

/// B-06. A keepalive from a server that is alive breaks the user's call and all that follow.
#[test]
fn a_keepalive_that_it_did_not_ask_for_is_taken_for_an_answer() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"value").await;
        relay.alter_once(|frame| {
            let keepalive = Frame::new(KEEPALIVE, 0, b"").encode();
            Deed::Send([keepalive, frame.encode()].concat())
        });
        let mut client = connect(&relay.address).await;
        let text = misfit(client.fetch(topic_id, 0, 100).await);
        assert_eq!(text, "Expected FetchResponse, got Keepalive");
        let text = misfit(client.get_topic(topic_id).await);
        assert_eq!(text, "Expected TopicResponse, got Control(FetchResponse)");
        relay.until(|relay| relay.from_client().len() == 2).await;
    });
}

/// B-06. Backpressure, sent to slow it down, makes the user's producer store the record twice.
#[test]
fn backpressure_before_an_ack_is_taken_for_a_refusal() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        relay.alter_once(|frame| {
            let pressure = Frame::new(BACKPRESSURE, 0, b"").encode();
            Deed::Send([pressure, frame.encode()].concat())
        });
        producer(&relay)
            .await
            .send(topic_id, b"value ")
            .await
            .unwrap();
        assert_eq!(relay.connections_made(), 2);
        assert_eq!(content(&lance(), topic_id).await, b"value value ");
    });
}

/// B-07. A user is not protected from a peer that speaks something else.
#[test]
fn contradictory_frames_are_taken() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let mut client = connect(&relay.address).await;
        for (flags, reserved) in [(0x20, 7), (0xa0, 0), (0x28, 0), (0x3f, 0xffff)] {
            relay.alter_once(move |frame| {
                let mut strange = Frame {
                    flags,
                    reserved,
                    payload_crc: 1,
                    ..frame.clone()
                };
                strange = strange.with_right_header_crc();
                Deed::Send(strange.encode())
            });
            client.ping().await.unwrap();
        }
        assert_eq!(relay.sent(KEEPALIVE).len(), 4);
    });
}

/// B-08. The user's time-out is no limit: a slow server can hold a call for minutes.
#[test]
fn a_read_time_out_is_for_each_byte() {
    run(async {
        let relay = Relay::to(&lance()).await;
        relay.alter(|frame| Deed::Drip(frame.encode(), Duration::from_millis(20)));
        let wait = Duration::from_millis(300);
        let mut client = connect_with(&relay.address, |c| c.read_timeout = wait).await;
        let started = Instant::now();
        client.ping().await.unwrap();
        assert!(started.elapsed() > 2 * wait);
    });
}

/// B-09. The user of pipelined sends is not told why one was refused, nor that it could be retried.
#[test]
fn recv_ack_hides_what_the_server_said() {
    run(async {
        let mut client = connect(&lance()).await;
        client
            .send_ingest_to_topic(4_000_000_000, Bytes::from("x"), 1, None)
            .await
            .unwrap();
        let error = client.recv_ack().await.unwrap_err();
        assert!(!error.is_retryable());
        assert_eq!(
            misfit::<()>(Err(error)),
            "Expected Ack, got Control(ErrorResponse)"
        );
    });
}

/// B-10. In a cluster the user's record is lost where it had only to go to another server.
#[test]
fn a_redirect_is_not_followed() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        let text = "NOT_LEADER: redirect to 127.0.0.1:1992";
        relay.alter(move |_| Deed::Send(Frame::error(text).encode()));
        let producer = producer(&relay).await;
        let error = producer.send(topic_id, b"value").await.unwrap_err();
        assert!(!error.is_retryable());
        assert_eq!(refusal::<()>(Err(error)), format!("Server error: {text}"));
        assert_eq!((relay.sent(INGEST).len(), relay.connections_made()), (1, 1));
        assert!(
            parse_not_leader_error(text).is_some(),
            "it could have known"
        );
    });
}

/// B-11. A user who sets the leader by hand is still sent to the old server.
#[test]
fn a_leader_that_was_set_is_not_connected_to() {
    run(async {
        let old = Relay::to(&lance()).await;
        let leader = Relay::to(&lance()).await;
        let made = ReconnectingClient::connect(&old.address).await.unwrap();
        let mut client = made.with_follow_leader(true);
        client.set_leader_addr(leader.address.parse().unwrap());
        client.mark_failed();
        client.client().await.unwrap().ping().await.unwrap();
        assert_eq!((old.connections_made(), leader.connections_made()), (2, 0));
    });
}

/// B-13. A user whose servers have names can not use the client for clusters.
#[test]
fn a_cluster_of_named_servers_has_no_addresses() {
    run(async {
        let server = lance().replace("127.0.0.1", "localhost");
        let text = breach(ClusterClient::connect(&[&server]).await);
        assert_eq!(text, "No valid seed addresses");
    });
}

/// B-14. The user of a guarded server can read and delete everything, and write nothing.
#[test]
fn there_is_no_way_to_authenticate() {
    run(async {
        let topic_id = make_topic(&guarded(), "guarded").await;
        let producer = Producer::connect(&guarded(), ProducerConfig::new())
            .await
            .unwrap();
        let error = producer.send(topic_id, b"value").await.unwrap_err();
        assert!(!error.is_retryable());
        assert_eq!(
            refusal::<()>(Err(error)),
            "Server error: Authentication required"
        );
        let mut client = connect(&guarded()).await;
        assert!(
            client
                .fetch(topic_id, 0, 100)
                .await
                .unwrap()
                .data
                .is_empty()
        );
        client.delete_topic(topic_id).await.unwrap();
    });
}

/// B-15. A faulty server can make the user read the same records for ever.
#[test]
fn the_next_offset_may_go_backwards() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"0123456789").await;
        relay.alter_once(|_| Deed::Send(Frame::fetch_response(2, b"56789").encode()));
        let config = ConsumerConfig::new(topic_id).with_start_position(SeekPosition::Offset(5));
        let mut consumer = connect_consumer(&relay.address, config).await;
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "56789");
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "23456789");
    });
}

/// B-15. The user's unsubscribe is confirmed by any ack, of whatever it is.
#[test]
fn any_ack_confirms_an_unsubscribe() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        relay.alter(|_| Deed::Send(Frame::new(ACK, 12345, b"rubbish").encode()));
        let mut client = connect(&relay.address).await;
        client.unsubscribe(topic_id, 7).await.unwrap();
        assert_eq!(relay.asked(UNSUBSCRIBE).len(), 1);
    });
}

/// B-16. A catching-up frame that was cut short tells the user of an empty server.
#[test]
fn catching_up_without_an_offset_is_offset_0() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"value").await;
        relay.alter(|frame| Deed::Send(Frame::control(0x12, &frame.payload[..7]).encode()));
        let answer = connect(&relay.address).await.fetch(topic_id, 99, 1).await;
        assert!(matches!(
            answer,
            Err(ClientError::ServerCatchingUp { server_offset: 0 })
        ));
    });
}

/// B-18. The user is told that the server reports an error which is no error.
#[test]
fn a_command_it_does_not_know_is_an_error_of_the_server() {
    run(async {
        let relay = Relay::to(&lance()).await;
        relay.alter(|_| Deed::Send(Frame::control(0x66, b"all is well").encode()));
        let text = refusal(connect(&relay.address).await.list_topics().await);
        assert_eq!(text, "all is well");
    });
}

/// B-19. The user reads every prefix twice.
#[test]
fn errors_are_prefixed_twice() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let error = connect(&relay.address)
            .await
            .ensure_topic("a_b", 1, 1)
            .await;
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("after 1 attempts: Server error: Server error: "),
            "{text}"
        );
        relay.alter(|frame| {
            let other = Frame {
                version: 2,
                ..frame.clone()
            };
            Deed::Send(other.with_right_header_crc().encode())
        });
        let error = connect(&relay.address).await.ping().await.unwrap_err();
        let text = "Protocol error: Protocol error: Unsupported protocol version: 2";
        assert_eq!(error.to_string(), text);
    });
}

// The producer.

/// B-20. A user who asks for compression gets none.
#[test]
fn the_option_for_compression_does_nothing() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        let config = ProducerConfig::new().with_compression(true);
        let producer = Producer::connect(&relay.address, config).await.unwrap();
        producer.send(topic_id, &[7; 10_000]).await.unwrap();
        let frame = relay.from_client().remove(0);
        assert_eq!((frame.flags, frame.payload.len()), (INGEST, 10_000));
    });
}

/// B-20. However many the user allows in flight, the next frame waits for the ack of the last.
#[test]
fn one_frame_is_in_flight() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        let config = ProducerConfig::new()
            .with_max_in_flight(5)
            .with_batch_size(1);
        let producer = Producer::connect(&relay.address, config).await.unwrap();
        let producer = Arc::new(producer);
        let send = || {
            let producer = Arc::clone(&producer);
            tokio::spawn(async move { producer.send(topic_id, b"value").await })
        };
        relay.hold();
        let first = send();
        relay.until(|relay| relay.from_server().len() == 1).await;
        let second = send();
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(relay.sent(INGEST).len(), 1);
        relay.release();
        first.await.unwrap().unwrap();
        second.await.unwrap().unwrap();
        assert_eq!(relay.sent(INGEST).len(), 2);
    });
}

/// B-21. While its server is down the user's producer is healthy, and hangs in every call.
#[test]
fn a_producer_without_a_server_hangs_and_is_healthy() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        let producer = producer(&relay).await;
        producer.send(topic_id, b"value").await.unwrap();
        relay.close();
        let request = Duration::from_secs(2);
        let waiting = tokio::time::timeout(request, producer.send(topic_id, b"value"));
        assert!(
            waiting.await.is_err(),
            "the first retry is over after 0.5 s"
        );
        assert!(producer.is_healthy());
        assert!(is_stuck(producer.flush()).await);
        assert!(is_stuck(producer.close()).await);
    });
}

/// B-22. One refused batch throws away the user's records for all other topics, unsent, and their
/// memory is never given back.
#[test]
fn a_failed_flush_drops_the_batches_behind_it() {
    run(async {
        let relay = Relay::to(&lance()).await;
        relay.alter(|_| Deed::Send(Frame::error("no").encode()));
        let config = ProducerConfig::new().with_linger_ms(60_000);
        let producer = Arc::new(Producer::connect(&relay.address, config).await.unwrap());
        let mut sends = Vec::new();
        for _ in 0..4 {
            let topic_id = make_topic(&lance(), "dropped").await;
            let producer = Arc::clone(&producer);
            sends.push(tokio::spawn(async move {
                producer.send(topic_id, b"value").await
            }));
        }
        while producer.metrics().buffer_size < 20 {
            tokio::task::yield_now().await;
        }
        assert_eq!(refusal(producer.flush().await), "no");
        let mut closed = 0;
        for send in sends {
            match within(send).await.unwrap() {
                Err(ClientError::ConnectionClosed) => closed += 1,
                other => assert_eq!(refusal(other), "Server error: no"),
            }
        }
        assert_eq!((relay.sent(INGEST).len(), closed), (1, 3));
        assert_eq!(producer.metrics().buffer_size, 15);
    });
}

/// B-23. After a failure the user's records of one topic are acknowledged out of order.
#[test]
fn a_retry_is_overtaken() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        relay.alter_once(|_| Deed::Send(Frame::error("FORWARD_FAILED: no leader").encode()));
        let config = ProducerConfig::new()
            .with_batch_size(1)
            .with_linger_ms(60_000);
        let producer = Arc::new(Producer::connect(&relay.address, config).await.unwrap());
        let first = Arc::clone(&producer);
        let first = tokio::spawn(async move { first.send(topic_id, b"1").await });
        relay.until(|relay| relay.from_server().len() == 1).await;
        while producer.metrics().errors == 0 {
            tokio::task::yield_now().await;
        }
        producer.send(topic_id, b"2").await.unwrap();
        first.await.unwrap().unwrap();
        let sent: Vec<_> = relay
            .sent(INGEST)
            .into_iter()
            .map(|frame| frame.payload)
            .collect();
        assert_eq!(sent, [b"1", b"2", b"1"]);
    });
}

/// B-24. An empty record makes the user wait for a quarter of an hour, and all others behind it.
#[test]
fn an_empty_record_is_never_acked() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        let producer = producer(&relay).await;
        assert!(is_stuck(producer.send(topic_id, b"")).await);
        assert!(is_stuck(producer.send(topic_id, b"value")).await);
        let sent = relay.sent(INGEST);
        assert_eq!((sent.len(), &*sent[0].payload), (1, &b""[..]));
        assert_eq!(relay.from_server(), []);
    });
}

/// B-25. A producer that the user has dropped keeps its connection.
#[test]
fn a_dropped_producer_stays_connected() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        let closed = producer(&relay).await;
        let dropped = producer(&relay).await;
        closed.send(topic_id, b"value").await.unwrap();
        dropped.send(topic_id, b"value").await.unwrap();
        drop(dropped);
        closed.close().await.unwrap();
        relay.until(|relay| relay.connections_open() == 1).await;
        tokio::time::sleep(PATIENCE).await;
        assert_eq!(relay.connections_open(), 1);
    });
}

/// B-26. A lost ack makes the user's record appear twice.
#[test]
fn a_record_whose_ack_is_lost_is_stored_twice() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        relay.alter_once(|_| Deed::HangUp);
        producer(&relay)
            .await
            .send(topic_id, b"value ")
            .await
            .unwrap();
        assert_eq!(content(&lance(), topic_id).await, b"value value ");
    });
}

/// B-28. The id that "the server assigned" names several of the user's batches.
#[test]
fn batch_ids_start_again_on_each_connection() {
    run(async {
        let (relay, topic_id) = relay_to_empty().await;
        let producer = producer(&relay).await;
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(producer.send(topic_id, b"value").await.unwrap().batch_id);
            ids.push(producer.send(topic_id, b"value").await.unwrap().batch_id);
            relay.cut();
        }
        assert_eq!(ids, [1, 2, 1, 2]);
    });
}

/// B-29. A user who sends records as the README does can not tell them apart again.
#[test]
fn records_are_sent_without_their_bounds() {
    run(async {
        let topic_id = make_topic(&lance(), "bounds").await;
        let producer = Producer::connect(&lance(), ProducerConfig::new())
            .await
            .unwrap();
        producer
            .produce(topic_id, &["Hello, ", "LANCE!"])
            .await
            .unwrap();
        let stream = content(&lance(), topic_id).await;
        assert_eq!(stream, b"Hello, LANCE!");
        assert!(parse_records(Bytes::from(stream)).is_err());
    });
}

// Consumers.

/// B-30. A user who goes to the end gets records that were there before.
#[test]
fn the_end_is_where_the_last_fetch_ended() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"0123456789").await;
        let config = ConsumerConfig::new(topic_id).with_max_fetch_bytes(4);
        let mut consumer = connect_consumer(&relay.address, config).await;
        consumer.poll().await.unwrap();
        assert_eq!(consumer.seek_to_end().await.unwrap(), 4);
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "4567");
        assert_eq!(relay.asked(FETCH).len(), 2);
    });
}

/// B-31. The user of a streaming consumer misses records without a word; Consumer does not.
#[test]
fn an_empty_answer_moves_a_streaming_consumer_on() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"0123456789").await;
        let empty = |_: &Frame| Deed::Send(Frame::fetch_response(7, b"").encode());
        let mut streaming = streaming(&relay, topic_id).await;
        relay.alter_once(empty);
        assert!(streaming.poll().await.unwrap().is_none());
        assert_eq!(streaming.poll().await.unwrap().unwrap().data, "789");

        let config = ConsumerConfig::new(topic_id);
        let mut consumer = connect_consumer(&relay.address, config).await;
        relay.alter_once(empty);
        assert!(consumer.poll().await.unwrap().is_none());
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "0123456789");
    });
}

/// B-32. One wrong answer, and the user's consumer never commits again.
#[test]
fn the_committed_offset_is_what_the_server_says() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"0123456789").await;
        let mut consumer = streaming(&relay, topic_id).await;
        consumer.poll().await.unwrap();
        relay.alter_once(|frame| {
            assert!(frame.is_control(COMMIT_ACK));
            Deed::Send(Frame::control(COMMIT_ACK, &[0xff; 16]).encode())
        });
        consumer.commit().await.unwrap();
        assert_eq!(consumer.committed_offset(), u64::MAX);
        store(&lance(), topic_id, &[b"more"]).await;
        consumer.poll().await.unwrap();
        consumer.commit().await.unwrap();
        assert_eq!(relay.asked(COMMIT_OFFSET).len(), 1);
    });
}

/// B-33. A user can not read a topic again: the beginning is where the last commit was.
#[test]
fn a_streaming_consumer_can_not_be_rewound() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"0123456789").await;
        let mut consumer = streaming(&relay, topic_id).await;
        consumer.poll().await.unwrap();
        assert_eq!(consumer.seek(SeekPosition::Beginning).await.unwrap(), 10);
        assert!(consumer.poll().await.unwrap().is_none());
        assert_eq!(u64_at(&relay.answered(SUBSCRIBE_ACK)[1].payload, 8), 10);

        let config = StandaloneConfig::new("reader", topic_id);
        let made = StandaloneConsumer::connect(&relay.address, config).await;
        let mut consumer = made.unwrap();
        consumer.poll().await.unwrap();
        assert_eq!(consumer.seek(SeekPosition::Beginning).await.unwrap(), 10);
    });
}

/// B-34. What the user's consumer commits to the server is under another name at each start.
#[test]
fn a_standalone_consumer_is_someone_else_each_time() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"0123456789").await;
        for _ in 0..2 {
            let config = StandaloneConfig::new("reader", topic_id).with_max_fetch_bytes(5);
            let made = StandaloneConsumer::connect(&relay.address, config).await;
            let mut consumer = made.unwrap();
            assert_eq!(consumer.poll().await.unwrap().unwrap().data, "01234");
            consumer.commit().await.unwrap();
        }
        let commits = relay.asked(COMMIT_OFFSET);
        let ids: Vec<_> = commits
            .iter()
            .map(|frame| u64_at(&frame.payload, 4))
            .collect();
        assert_eq!(ids.len(), 2);
        assert_ne!(ids[0], ids[1]);
    });
}

/// B-35. A user who starts at the end and stops has lost the place for ever.
#[test]
fn the_end_is_stored_as_the_largest_number() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"old").await;
        let folder = folder("end");
        let config = || {
            StandaloneConfig::new("reader", topic_id)
                .with_start_position(SeekPosition::End)
                .with_offset_dir(&folder)
        };
        let made = StandaloneConsumer::connect(&relay.address, config()).await;
        let mut consumer = made.unwrap();
        assert!(consumer.poll().await.unwrap().is_none());
        consumer.close().await.unwrap();
        let file = fs::read_dir(folder.join("reader"))
            .unwrap()
            .find_map(|entry| {
                let path = entry.unwrap().path();
                path.extension()
                    .is_some_and(|end| end == "offset")
                    .then_some(path)
            });
        assert_eq!(
            fs::read_to_string(file.unwrap()).unwrap(),
            "18446744073709551615\n"
        );

        store(&lance(), topic_id, &[b"missed"]).await;
        let made = StandaloneConsumer::connect(&relay.address, config()).await;
        assert!(made.unwrap().poll().await.unwrap().is_none());
    });
}

/// B-36. A worker's name can take the user's topics from the others.
#[test]
fn a_worker_is_given_what_its_name_says() {
    run(async {
        let topic_id = make_filled(&lance(), "secret", b"secret").await;
        let config = GroupConfig::new("group")
            .with_topics(vec![])
            .with_coordinator_addr("127.0.0.1:0".parse().unwrap());
        let coordinator = GroupCoordinator::start(&lance(), config).await.unwrap();
        let name = format!("generation: 99, assignments: [{topic_id}]");
        let at = coordinator.join_address();
        let worker = GroupedConsumer::join(&lance(), at, WorkerConfig::new(name)).await;
        let mut worker = worker.unwrap();
        assert_eq!(
            (worker.generation(), worker.assignments()),
            (99, &[topic_id][..])
        );
        assert_eq!(worker.poll(topic_id).await.unwrap().unwrap().data, "secret");
        coordinator.stop();
    });
}

/// B-37. The user sees no retention on any topic: it is looked for elsewhere.
#[test]
fn a_retention_that_was_set_is_not_shown() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let mut client = connect(&relay.address).await;
        let made = client
            .create_topic_with_retention(&unique("kept"), 3600, 1000)
            .await
            .unwrap();
        assert!(made.retention.is_none());
        assert!(client.get_topic(made.id).await.unwrap().retention.is_none());
        let answer = relay.answered(TOPIC_RESPONSE).remove(0);
        assert!(
            answer
                .text()
                .contains(r#""max_age_secs":3600,"max_bytes":1000,"#)
        );
    });
}

/// B-38. A name from outside writes the user's files where it likes.
#[test]
fn a_consumers_name_may_leave_its_folder() {
    let folder = folder("names");
    let inner = folder.join("offsets");
    fs::create_dir(&inner).unwrap();
    let store = LockFileOffsetStore::open(&inner, "../elsewhere").unwrap();
    store.save(7, 42, 1).unwrap();
    assert!(folder.join("elsewhere/topic-7-consumer-42.offset").exists());
    assert_eq!(fs::read_dir(inner).unwrap().count(), 0);
}

/// B-38. A user's topic `my_events` fails after 10 s and 20 connections, not at once.
#[test]
fn a_bad_name_is_tried_again_and_again() {
    run(async {
        let relay = Relay::to(&lance()).await;
        let mut client = connect(&relay.address).await;
        let name = unique("my_events");
        let waiting = client.create_topic(&name);
        assert!(
            tokio::time::timeout(Duration::from_millis(1300), waiting)
                .await
                .is_err()
        );
        let questions = (
            relay.asked(CREATE_TOPIC).len(),
            relay.asked(LIST_TOPICS).len(),
        );
        assert!(
            questions.0 >= 2 && questions.0 == questions.1,
            "{questions:?}"
        );
        assert_eq!(relay.connections_made(), questions.0);
    });
}

/// B-39. A user who skips what can not be read, as iterators are used, never comes to an end.
#[test]
fn records_behind_a_fault_are_an_endless_row_of_errors() {
    run(async {
        let topic_id = make_filled(&lance(), "fault", b"\x01\x03\0\0\0ab").await;
        let stream = Bytes::from(content(&lance(), topic_id).await);
        let records = RecordIterator::new(stream).take(10_000);
        assert_eq!(records.filter(Result::is_err).count(), 10_000);
    });
}

/// B-43. A user's pool is made and said to be good while there is no server.
#[test]
fn a_pool_of_nothing_is_made() {
    run(async {
        let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nowhere = port.local_addr().unwrap().to_string();
        drop(port);
        let config = ConnectionPoolConfig::new()
            .with_min_idle(5)
            .with_health_check_interval(0);
        let pool = ConnectionPool::new(&nowhere, config).await.unwrap();
        let error = pool.get().await.err().unwrap();
        assert!(matches!(error, ClientError::ConnectionFailed(_)));
    });
}

/// B-43. A pool that the user has closed goes on.
#[test]
fn a_closed_pool_hands_out_connections() {
    run(async {
        let pool = ConnectionPool::new(&lance(), ConnectionPoolConfig::new())
            .await
            .unwrap();
        pool.close().await;
        pool.get().await.unwrap().ping().await.unwrap();
    });
}

/// B-44. After a lost connection the user's streaming consumer is dead for good.
#[test]
fn a_streaming_consumer_does_not_connect_again() {
    run(async {
        let (relay, topic_id) = relay_to_filled(b"0123456789").await;
        let mut consumer = streaming(&relay, topic_id).await;
        relay.cut();
        for _ in 0..3 {
            assert!(consumer.poll().await.unwrap_err().is_retryable());
        }
        assert!(consumer.is_subscribed());
        assert_eq!(relay.connections_made(), 1);
    });
}
