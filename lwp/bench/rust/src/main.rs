// SPDX-License-Identifier: MIT
//! The published Rust client as lwp-bench measures it: records of 100 bytes by `send_async`, in batches of
//! 32 KiB, and a flush.
//!
//!     bench-driver HOST:PORT TOPIC_ID MILLISECONDS
//!
//! Prints how many records warmed it up, how many were acknowledged then, and in how many nanoseconds.

use std::time::{Duration, Instant};

use lnc_client::{Producer, ProducerConfig, RecordType, encode_record};

const WARM_UP: u64 = 50_000;
const AT_ONCE: u64 = 1_000; // Between two looks at the clock.

type Failure = Box<dyn std::error::Error>;

/// The client sends what it is given: it is the caller who makes a record of it.
async fn send(producer: &Producer, topic: u32, record: &[u8], count: u64) -> Result<(), Failure> {
    for _ in 0..count {
        producer.send_async(topic, record).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().collect();
    let topic: u32 = arguments[2].parse()?;
    let time = Duration::from_millis(arguments[3].parse()?);
    let value: Vec<u8> = (0..100).collect();
    let record = encode_record(RecordType::Data, &value);
    let config = ProducerConfig::new().with_batch_size(32 * 1024);
    let producer = Producer::connect(&arguments[1], config).await?;
    send(&producer, topic, &record, WARM_UP).await?;
    producer.flush().await?;
    let mut count = 0;
    let begin = Instant::now();
    while begin.elapsed() < time {
        send(&producer, topic, &record, AT_ONCE).await?;
        count += AT_ONCE;
    }
    producer.flush().await?;
    println!("{WARM_UP} {count} {}", begin.elapsed().as_nanos());
    producer.close().await?;
    Ok(())
}
