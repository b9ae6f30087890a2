// SPDX-License-Identifier: MIT
//! Short ways to the client, and a relay that sees what it says on the wire and can change what it
//! is told. The servers are started by ci/interop-rust, which gives their addresses.

use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use lnc_client::{ClientConfig, ClientError, Consumer, ConsumerConfig, LanceClient};

pub mod relay;
pub mod wire;

/// For what must happen.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// For what must not happen, after something else has shown that it could have.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// Runs a test. It fails if the test takes longer than any of its parts may.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async { within(test).await });
    runtime.shutdown_background();
}

pub async fn within<T>(work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(DEADLINE, work).await;
    done.expect("it takes too long")
}

/// Whether it is still not done after a while. It is abandoned then.
pub async fn is_stuck<T>(work: impl Future<Output = T>) -> bool {
    tokio::time::timeout(PATIENCE, work).await.is_err()
}

// The servers.

fn address(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set; use ci/interop-rust"))
}

/// A server as it is deployed.
pub fn lance() -> String {
    address("LWP_LANCE")
}

/// A server as the Python client needs it.
pub fn lance_py() -> String {
    address("LWP_LANCE_PY")
}

/// A server true to the specification.
pub fn spec() -> String {
    address("LWP_SPEC")
}

/// A server as it is deployed, with the token "secret".
pub fn guarded() -> String {
    address("LWP_GUARDED")
}

/// A server that no other test uses: its list of topics is known.
pub fn fresh() -> String {
    address("LWP_FRESH")
}

// The client.

/// A name that no test has used before.
pub fn unique(name: &str) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{name}-{}-{count}", std::process::id())
}

/// A new, empty folder.
pub fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(unique(&format!("interop-rust-{name}")));
    fs::create_dir_all(&path).expect("a folder");
    path
}

pub async fn connect(server: &str) -> LanceClient {
    connect_with(server, |_| ()).await
}

pub async fn connect_with(server: &str, set: impl FnOnce(&mut ClientConfig)) -> LanceClient {
    let mut config = ClientConfig::new(server);
    set(&mut config);
    LanceClient::connect(config).await.expect("a connection")
}

/// A new topic; its id.
pub async fn make_topic(server: &str, name: &str) -> u32 {
    let topic = connect(server).await.create_topic(&unique(name)).await;
    topic.expect("a topic").id
}

/// One frame for each of the values.
pub async fn store(server: &str, topic_id: u32, values: &[&[u8]]) {
    let mut client = connect(server).await;
    for value in values {
        let value = Bytes::copy_from_slice(value);
        let sent = client
            .send_ingest_to_topic_sync(topic_id, value, 1, None)
            .await;
        sent.expect("an ack");
    }
}

/// A new topic with the value in it.
pub async fn make_filled(server: &str, name: &str, value: &[u8]) -> u32 {
    let topic_id = make_topic(server, name).await;
    store(server, topic_id, &[value]).await;
    topic_id
}

/// All that the topic holds, by single fetches.
pub async fn content(server: &str, topic_id: u32) -> Vec<u8> {
    let mut client = connect(server).await;
    let mut all = Vec::new();
    loop {
        let next = client
            .fetch(topic_id, all.len() as u64, 65536)
            .await
            .expect("a fetch");
        if next.data.is_empty() {
            return all;
        }
        all.extend_from_slice(&next.data);
    }
}

pub async fn connect_consumer(server: &str, config: ConsumerConfig) -> Consumer {
    Consumer::connect(server, config).await.expect("a consumer")
}

/// The text of an ErrorResponse; fails for any other outcome.
pub fn refusal<T>(outcome: Result<T, ClientError>) -> String {
    match outcome {
        Err(ClientError::ServerError(text)) => text,
        Err(other) => panic!("not refused by the server, but: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

/// The text of an answer that the client did not expect.
pub fn misfit<T>(outcome: Result<T, ClientError>) -> String {
    match outcome {
        Err(ClientError::InvalidResponse(text)) => text,
        Err(other) => panic!("not an invalid response, but: {other:?}"),
        Ok(_) => panic!("not an error"),
    }
}

/// The text of a frame that the client could not read.
pub fn breach<T>(outcome: Result<T, ClientError>) -> String {
    match outcome {
        Err(ClientError::ProtocolError(text)) => text,
        Err(other) => panic!("not a protocol error, but: {other:?}"),
        Ok(_) => panic!("not an error"),
    }
}
