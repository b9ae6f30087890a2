// SPDX-License-Identifier: MIT
//! What the published Rust client can and can not do against a server as the Python client needs it
//! (`lance-py`). What both dialects have in common is in works.rs.

use bytes::Bytes;
use interop_rust::relay::Relay;
use interop_rust::wire::{COMMIT_OFFSET, TOPIC_RESPONSE, UNSUBSCRIBE};
use interop_rust::{
    connect, connect_consumer, content, lance_py, make_filled, make_topic, misfit, refusal, run,
    unique,
};
use lnc_client::{
    ClientError, ConsumerConfig, Producer, ProducerConfig, SeekPosition, StandaloneConfig,
    StandaloneConsumer, StreamingConsumer, StreamingConsumerConfig,
};

// What it can do.

#[test]
fn it_can_use_any_name_for_a_topic() {
    run(async {
        let mut client = connect(&lance_py()).await;
        for name in ["my_events", "a.b", "a b", "ключ", "/"] {
            let name = unique(name);
            assert_eq!(client.create_topic(&name).await.unwrap().name, name);
            let topics = client.list_topics().await.unwrap();
            assert!(topics.iter().any(|topic| topic.name == name));
        }
    });
}

#[test]
fn it_can_subscribe_commit_and_read_to_the_end() {
    run(async {
        let relay = Relay::to(&lance_py()).await;
        let topic_id = make_filled(&lance_py(), "read", b"0123456789").await;
        let config = StandaloneConfig::new("reader", topic_id).with_max_fetch_bytes(4);
        let made = StandaloneConsumer::connect(&relay.address, config).await;
        let mut consumer = made.unwrap();
        let mut read = Vec::new();
        while let Some(result) = consumer.poll().await.unwrap() {
            read.extend_from_slice(&result.data);
        }
        assert_eq!(read, b"0123456789");
        consumer.commit().await.unwrap();
        assert_eq!(relay.asked(COMMIT_OFFSET).len(), 1);
    });
}

#[test]
fn it_can_send_what_it_says_is_compressed() {
    run(async {
        let topic_id = make_topic(&lance_py(), "compressed").await;
        let config = ProducerConfig::new().with_compression(true);
        let producer = Producer::connect(&lance_py(), config).await.unwrap();
        producer.send(topic_id, &[7; 1000]).await.unwrap();
        assert_eq!(content(&lance_py(), topic_id).await, [7; 1000]);
    });
}

/// Its sentinel for the end is not the Python client's; both are understood.
#[test]
fn it_can_go_to_the_end() {
    run(async {
        let topic_id = make_filled(&lance_py(), "end", b"0123456789").await;
        let config = ConsumerConfig::new(topic_id).with_start_position(SeekPosition::End);
        let mut consumer = connect_consumer(&lance_py(), config).await;
        assert!(consumer.poll().await.unwrap().is_none());
        assert_eq!(consumer.current_offset(), 10);
        let mut client = connect(&lance_py()).await;
        for end in [u64::MAX, (1 << 63) - 1] {
            let answer = client.fetch(topic_id, end, 100).await.unwrap();
            assert_eq!((answer.next_offset, &*answer.data), (10, &b""[..]));
        }
    });
}

// What it can not do.

/// The user is shown a document where a text was.
#[test]
fn it_can_not_read_the_errors() {
    run(async {
        let mut client = connect(&lance_py()).await;
        let id = 4_000_000_000;
        let not_found = r#"{"code":16,"message":"Topic not found"}"#;
        assert_eq!(refusal(client.get_topic(id).await), not_found);
        assert_eq!(refusal(client.delete_topic(id).await), not_found);
        assert_eq!(refusal(client.set_retention(id, 1, 1).await), not_found);
        assert_eq!(refusal(client.fetch(id, 0, 1).await), not_found);
        assert_eq!(refusal(client.subscribe(id, 0, 1, 1).await), not_found);
        let ingest = client
            .send_ingest_to_topic_sync(id, Bytes::from("x"), 1, None)
            .await;
        assert_eq!(refusal(ingest), r#"{"code":16,"message":"Unknown topic"}"#);
        let name = unique("taken");
        client.create_topic(&name).await.unwrap();
        let text = refusal(client.create_topic_with_retention(&name, 1, 1).await);
        assert_eq!(
            text,
            format!(r#"{{"code":17,"message":"Topic '{name}' already exists"}}"#)
        );
    });
}

/// It is done, and the user is told that it failed.
#[test]
fn it_can_not_unsubscribe() {
    run(async {
        let relay = Relay::to(&lance_py()).await;
        let topic_id = make_topic(&lance_py(), "subscribed").await;
        let mut client = connect(&relay.address).await;
        client.subscribe(topic_id, 0, 65536, 7).await.unwrap();
        let text = misfit(client.unsubscribe(topic_id, 7).await);
        assert_eq!(text, "Expected Ack, got Control(TopicResponse)");
        let done = format!(r#"{{"unsubscribed":{topic_id}}}"#);
        assert_eq!(relay.answered(TOPIC_RESPONSE)[0].text(), done);
        client.ping().await.unwrap();
    });
}

/// A streaming consumer can not be stopped, and so not be moved, and gives its connection not back.
#[test]
fn it_can_not_seek_or_stop_a_subscription() {
    run(async {
        let relay = Relay::to(&lance_py()).await;
        let topic_id = make_filled(&lance_py(), "stream", b"0123456789").await;
        let config = StreamingConsumerConfig::new(topic_id).with_max_batch_bytes(4);
        let mut consumer = StreamingConsumer::new(connect(&relay.address).await, config);
        consumer.start().await.unwrap();
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "0123");
        misfit(consumer.seek(SeekPosition::Offset(8)).await);
        assert!(consumer.is_subscribed());
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "4567");
        misfit(consumer.stop().await);
        misfit(consumer.into_client().await);
        assert_eq!(relay.asked(UNSUBSCRIBE).len(), 3);

        let config = StandaloneConfig::new("reader", topic_id);
        let made = StandaloneConsumer::connect(&relay.address, config).await;
        misfit(made.unwrap().close().await);
    });
}

/// Where a server of its own would make it wait, the user gets an error that is not retryable.
#[test]
fn it_can_not_tell_that_the_server_is_catching_up() {
    run(async {
        let topic_id = make_filled(&lance_py(), "behind", b"01234").await;
        let config = ConsumerConfig::new(topic_id).with_start_position(SeekPosition::Offset(8));
        let mut consumer = connect_consumer(&lance_py(), config).await;
        let error = consumer.poll().await.unwrap_err();
        assert!(matches!(&error, ClientError::ServerError(text) if text.contains("CATCHING_UP")));
        assert!(!error.is_retryable());
    });
}
