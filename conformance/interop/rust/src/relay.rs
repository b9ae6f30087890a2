// SPDX-License-Identifier: MIT
//! Stands between one client and a server, writes down the frames, and can change the answers.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, copy};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::wire::Frame;
use crate::within;

/// What the client gets in the place of a frame of the server.
pub enum Deed {
    Pass,
    Send(Vec<u8>),
    /// One byte at a time, with a pause before each.
    Drip(Vec<u8>, Duration),
    HangUp,
}

type Alter = Box<dyn FnMut(&Frame) -> Deed + Send>;

struct Shared {
    from_client: Mutex<Vec<Frame>>,
    from_server: Mutex<Vec<Frame>>,
    connections: Mutex<Connections>,
    alter: Mutex<Alter>,
    gate: watch::Sender<bool>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Connections {
    made: usize,
    open: usize,
    tasks: Vec<AbortHandle>,
}

pub struct Relay {
    pub address: String,
    shared: Arc<Shared>,
    listener: AbortHandle,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test has failed with it")
}

impl Shared {
    fn change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    async fn to_server(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        while let Some(frame) = Frame::read(&mut from).await {
            let bytes = frame.encode();
            lock(&self.from_client).push(frame);
            self.change();
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }

    async fn to_client(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut gate = self.gate.subscribe();
        while let Some(frame) = Frame::read(&mut from).await {
            lock(&self.from_server).push(frame.clone());
            self.change();
            if gate.wait_for(|open| *open).await.is_err() {
                return;
            }
            let deed = (lock(&self.alter))(&frame);
            let written = match deed {
                Deed::Pass => to.write_all(&frame.encode()).await,
                Deed::Send(bytes) => to.write_all(&bytes).await,
                Deed::Drip(bytes, pause) => drip(&mut to, &bytes, pause).await,
                Deed::HangUp => return,
            };
            if written.is_err() {
                return;
            }
        }
    }

    async fn serve(&self, here: TcpStream, server: &str) {
        let there = TcpStream::connect(server).await.expect("the server");
        let (from_client, to_client) = here.into_split();
        let (from_server, to_server) = there.into_split();
        let _open = Open::new(self);
        tokio::select! {
            () = self.to_server(from_client, to_server) => (),
            () = self.to_client(from_server, to_client) => (),
        }
    }
}

/// Counts a connection as long as it is served, however that ends.
struct Open<'a>(&'a Shared);

impl<'a> Open<'a> {
    fn new(shared: &'a Shared) -> Self {
        lock(&shared.connections).open += 1;
        shared.change();
        Self(shared)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        lock(&self.0.connections).open -= 1;
        self.0.change();
    }
}

async fn drip(to: &mut OwnedWriteHalf, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        tokio::time::sleep(pause).await;
        copy(&mut &[*byte][..], to).await?;
    }
    Ok(())
}

impl Relay {
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let shared = Arc::new(Shared {
            from_client: Mutex::default(),
            from_server: Mutex::default(),
            connections: Mutex::default(),
            alter: Mutex::new(Box::new(|_| Deed::Pass)),
            gate: watch::Sender::new(true),
            changes: watch::Sender::new(0),
        });
        let server = server.to_owned();
        let for_task = Arc::clone(&shared);
        let accept = async move {
            while let Ok((here, _)) = listener.accept().await {
                let shared = Arc::clone(&for_task);
                let server = server.clone();
                let serving = tokio::spawn(async move { shared.serve(here, &server).await });
                let mut connections = lock(&for_task.connections);
                connections.made += 1;
                connections.tasks.push(serving.abort_handle());
            }
        };
        let listener = tokio::spawn(accept).abort_handle();
        Self {
            address,
            shared,
            listener,
        }
    }

    /// What happens to each frame of the server from now on.
    pub fn alter(&self, deed: impl FnMut(&Frame) -> Deed + Send + 'static) {
        *lock(&self.shared.alter) = Box::new(deed);
    }

    /// The next frame of the server is changed, and the ones after it are not.
    pub fn alter_once(&self, deed: impl FnOnce(&Frame) -> Deed + Send + 'static) {
        let mut deed = Some(deed);
        self.alter(move |frame| deed.take().map_or(Deed::Pass, |deed| deed(frame)));
    }

    /// The frames of the server are kept back until `release`.
    pub fn hold(&self) {
        self.shared.gate.send_replace(false);
    }

    pub fn release(&self) {
        self.shared.gate.send_replace(true);
    }

    /// Ends all connections.
    pub fn cut(&self) {
        for task in lock(&self.shared.connections).tasks.drain(..) {
            task.abort();
        }
    }

    /// Ends all connections, and takes no more.
    pub fn close(&self) {
        self.listener.abort();
        self.cut();
    }

    pub fn connections_made(&self) -> usize {
        lock(&self.shared.connections).made
    }

    pub fn connections_open(&self) -> usize {
        lock(&self.shared.connections).open
    }

    pub fn from_client(&self) -> Vec<Frame> {
        lock(&self.shared.from_client).clone()
    }

    /// What the server said, before it was changed.
    pub fn from_server(&self) -> Vec<Frame> {
        lock(&self.shared.from_server).clone()
    }

    /// What the client sent with these flags.
    pub fn sent(&self, flags: u8) -> Vec<Frame> {
        let mut frames = self.from_client();
        frames.retain(|frame| frame.flags == flags);
        frames
    }

    /// The control frames with this command that the client sent.
    pub fn asked(&self, command: u64) -> Vec<Frame> {
        let mut frames = self.from_client();
        frames.retain(|frame| frame.is_control(command));
        frames
    }

    /// The control frames with this command that the server sent.
    pub fn answered(&self, command: u64) -> Vec<Frame> {
        let mut frames = self.from_server();
        frames.retain(|frame| frame.is_control(command));
        frames
    }

    pub fn until(&self, holds: impl Fn(&Self) -> bool) -> impl Future<Output = ()> {
        let mut changes = self.shared.changes.subscribe();
        within(async move {
            while !holds(self) {
                changes.changed().await.expect("the relay lives");
            }
        })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.close();
    }
}
