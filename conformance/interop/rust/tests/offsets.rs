// SPDX-License-Identifier: MIT
//! Where the client keeps the offsets of its consumers.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use interop_rust::{connect, folder, lance, make_filled, run, store, unique};
use lnc_client::{
    CollectingCommitHook, Consumer, ConsumerConfig, HookedOffsetStore, LockFileOffsetStore,
    MemoryOffsetStore, OffsetStore, SeekPosition, StandaloneConfig, StandaloneConsumer,
    StandaloneConsumerBuilder,
};

/// The number that the client makes of the name "reader": SipHash-1-3 with keys of 0.
const READER: u64 = 12_270_450_678_445_165_419;

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries.map(|e| name(e).into_string().unwrap()).collect();
    names.sort();
    names
}

fn reader(topic_id: u32, folder: &Path) -> StandaloneConfig {
    StandaloneConfig::new("reader", topic_id)
        .with_offset_dir(folder)
        .with_manual_commit()
}

#[test]
fn the_files_are_named_for_topic_and_consumer_and_hold_the_number() {
    let folder = folder("files");
    let store = LockFileOffsetStore::open(&folder, "reader").unwrap();
    assert_eq!(store.load(7, 42).unwrap(), None);
    store.save(7, 42, 1000).unwrap();
    store.save(7, 42, 999).unwrap();
    store.save(u32::MAX, u64::MAX, u64::MAX).unwrap();
    assert_eq!(
        names_in(&folder.join("reader")),
        [
            "topic-4294967295-consumer-18446744073709551615.lock",
            "topic-4294967295-consumer-18446744073709551615.offset",
            "topic-7-consumer-42.lock",
            "topic-7-consumer-42.offset",
        ]
    );
    let read = |name: &str| fs::read_to_string(folder.join("reader").join(name)).unwrap();
    assert_eq!(read("topic-7-consumer-42.offset"), "999\n");
    assert_eq!(read("topic-7-consumer-42.lock"), "");

    let again = LockFileOffsetStore::open(&folder, "reader").unwrap();
    assert_eq!(again.load(7, 42).unwrap(), Some(999));
    let all = HashMap::from([((7, 42), 999), ((u32::MAX, u64::MAX), u64::MAX)]);
    assert_eq!(again.list_all().unwrap(), all);
    again.delete(7, 42).unwrap();
    assert_eq!(names_in(&folder.join("reader")).len(), 2);
    assert_eq!(
        LockFileOffsetStore::open(&folder, "other")
            .unwrap()
            .list_all()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn a_damaged_file_is_an_error_for_who_asks_for_it() {
    let folder = folder("damaged");
    fs::create_dir(folder.join("reader")).unwrap();
    fs::write(folder.join("reader/topic-7-consumer-42.offset"), "many\n").unwrap();
    let store = LockFileOffsetStore::open(&folder, "reader").unwrap();
    assert!(store.load(7, 42).is_err());
    assert_eq!(store.load(7, 43).unwrap(), None);
}

#[test]
fn a_store_in_memory_forgets() {
    let store = MemoryOffsetStore::new();
    store.save(7, 42, 1000).unwrap();
    assert_eq!(store.load(7, 42).unwrap(), Some(1000));
    assert_eq!(MemoryOffsetStore::new().load(7, 42).unwrap(), None);
}

#[test]
fn hooks_are_told_of_commits() {
    let hook = Arc::new(CollectingCommitHook::new());
    let store = HookedOffsetStore::new(MemoryOffsetStore::new()).add_hook(hook.clone());
    store.save(7, 42, 5).unwrap();
    store.save(7, 42, 9).unwrap();
    let commits = hook.commits();
    let seen: Vec<_> = commits
        .iter()
        .map(|c| (c.topic_id, c.offset, c.previous_offset))
        .collect();
    assert_eq!(seen, [(7, 5, None), (7, 9, Some(5))]);
}

#[test]
fn a_consumer_with_a_store_goes_on_where_it_was() {
    run(async {
        let server = lance();
        let topic_id = make_filled(&server, "stored", b"0123456789").await;
        let folder = folder("consumer");
        for expected in ["012", "345"] {
            let store = LockFileOffsetStore::open(&folder, "reader").unwrap();
            let config = ConsumerConfig::new(topic_id).with_max_fetch_bytes(3);
            let client = connect(&server).await;
            let made = Consumer::with_offset_store(client, &server, config, 42, Arc::new(store));
            let mut consumer = made.unwrap();
            assert!(consumer.has_offset_store());
            assert_eq!(consumer.poll().await.unwrap().unwrap().data, expected);
            consumer.commit().await.unwrap();
            assert!(consumer.poll().await.unwrap().is_some());
        }
        let file = folder.join(format!("reader/topic-{topic_id}-consumer-42.offset"));
        assert_eq!(fs::read_to_string(file).unwrap(), "6\n");
    });
}

#[test]
fn a_standalone_consumer_goes_on_where_it_was() {
    run(async {
        let server = lance();
        let topic_id = make_filled(&server, "standalone", b"0123456789").await;
        let folder = folder("standalone");
        for expected in ["0123", "4567", "89"] {
            let config = reader(topic_id, &folder).with_max_fetch_bytes(4);
            let mut consumer = StandaloneConsumer::connect(&server, config).await.unwrap();
            assert!(consumer.is_subscribed());
            assert_eq!(consumer.poll().await.unwrap().unwrap().data, expected);
            consumer.commit().await.unwrap();
            consumer.close().await.unwrap().ping().await.unwrap();
        }
        let file = folder.join(format!("reader/topic-{topic_id}-consumer-{READER}.offset"));
        assert_eq!(fs::read_to_string(file).unwrap(), "10\n");
    });
}

#[test]
fn a_standalone_consumer_that_is_closed_or_left_alone_commits_by_itself() {
    run(async {
        let server = lance();
        let topic_id = make_filled(&server, "auto", b"0123456789").await;
        let folder = folder("auto");
        let file = folder.join(format!("reader/topic-{topic_id}-consumer-{READER}.offset"));
        let config = reader(topic_id, &folder)
            .with_max_fetch_bytes(4)
            .with_auto_commit_interval(Some(Duration::from_millis(1)));
        let mut consumer = StandaloneConsumer::connect(&server, config).await.unwrap();
        consumer.poll().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        consumer.poll().await.unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "4\n");
        consumer.close().await.unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "8\n");
    });
}

#[test]
fn a_standalone_consumer_makes_the_topic_it_is_given_by_name() {
    run(async {
        let server = lance();
        let name = unique("named");
        let builder = StandaloneConsumerBuilder::new(&server, "reader").with_max_fetch_bytes(2);
        let mut consumer = builder.build_for_topic_name(&name).await.unwrap();
        let topic = connect(&server).await.create_topic(&name).await.unwrap();
        assert_eq!(consumer.topic_id(), topic.id);
        assert!(
            consumer
                .poll_timeout(Duration::from_millis(30))
                .await
                .unwrap()
                .is_none()
        );
        store(&server, topic.id, &[b"value"]).await;
        let read = consumer.poll_timeout(Duration::from_secs(5)).await.unwrap();
        assert_eq!(read.unwrap().data, "va");
    });
}

#[test]
fn a_standalone_consumer_seeks_to_an_offset() {
    run(async {
        let server = lance();
        let topic_id = make_filled(&server, "seek", b"0123456789").await;
        let config = StandaloneConfig::new("reader", topic_id).with_max_fetch_bytes(2);
        let mut consumer = StandaloneConsumer::connect(&server, config).await.unwrap();
        consumer.seek(SeekPosition::Offset(7)).await.unwrap();
        assert_eq!(consumer.poll().await.unwrap().unwrap().data, "78");
    });
}
