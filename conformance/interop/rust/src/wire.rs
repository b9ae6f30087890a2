// SPDX-License-Identifier: MIT
//! The wire by our own hand: nothing here is the client's.

use tokio::io::{AsyncRead, AsyncReadExt};

pub const HEADER_SIZE: usize = 44;

pub const INGEST: u8 = 0x04;
pub const ACK: u8 = 0x08;
pub const BACKPRESSURE: u8 = 0x10;
pub const KEEPALIVE: u8 = 0x20;
pub const CONTROL: u8 = 0x40;

pub const CREATE_TOPIC: u64 = 0x01;
pub const LIST_TOPICS: u64 = 0x03;
pub const FETCH: u64 = 0x10;
pub const FETCH_RESPONSE: u64 = 0x11;
pub const CATCHING_UP: u64 = 0x12;
pub const SUBSCRIBE: u64 = 0x20;
pub const UNSUBSCRIBE: u64 = 0x21;
pub const COMMIT_OFFSET: u64 = 0x22;
pub const SUBSCRIBE_ACK: u64 = 0x23;
pub const COMMIT_ACK: u64 = 0x24;
pub const TOPIC_RESPONSE: u64 = 0x80;
pub const ERROR: u64 = 0xff;

fn crc(polynomial: u32, data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (polynomial * (crc & 1));
        }
    }
    !crc
}

/// CRC-32/ISO-HDLC, as in zlib.
pub fn crc32(data: &[u8]) -> u32 {
    crc(0xedb8_8320, data)
}

/// CRC-32C, as the specification demands.
pub fn crc32c(data: &[u8]) -> u32 {
    crc(0x82f6_3b78, data)
}

#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub version: u8,
    pub flags: u8,
    pub reserved: u16,
    pub header_crc: u32,
    pub batch_id: u64,
    pub timestamp_ns: u64,
    pub record_count: u32,
    pub payload_crc: u32,
    pub topic_id: u32,
    pub payload: Vec<u8>,
}

impl Frame {
    /// A frame with right checksums.
    pub fn new(flags: u8, batch_id: u64, payload: &[u8]) -> Self {
        let frame = Self {
            version: 1,
            flags,
            reserved: 0,
            header_crc: 0,
            batch_id,
            timestamp_ns: 0,
            record_count: 0,
            payload_crc: crc32(payload),
            topic_id: 0,
            payload: payload.to_vec(),
        };
        frame.with_right_header_crc()
    }

    pub fn control(command: u64, payload: &[u8]) -> Self {
        Self::new(CONTROL, command, payload)
    }

    pub fn error(text: &str) -> Self {
        Self::control(ERROR, text.as_bytes())
    }

    pub fn fetch_response(next_offset: u64, data: &[u8]) -> Self {
        let mut payload = next_offset.to_le_bytes().to_vec();
        payload.extend((data.len() as u32).to_le_bytes());
        payload.extend(u32::from(!data.is_empty()).to_le_bytes());
        payload.extend(data);
        Self::control(FETCH_RESPONSE, &payload)
    }

    pub fn with_right_header_crc(mut self) -> Self {
        self.header_crc = crc32(&self.encode()[..8]);
        self
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = b"LANC".to_vec();
        bytes.extend([self.version, self.flags]);
        bytes.extend(self.reserved.to_le_bytes());
        bytes.extend(self.header_crc.to_le_bytes());
        bytes.extend(self.batch_id.to_le_bytes());
        bytes.extend(self.timestamp_ns.to_le_bytes());
        bytes.extend(self.record_count.to_le_bytes());
        bytes.extend((self.payload.len() as u32).to_le_bytes());
        bytes.extend(self.payload_crc.to_le_bytes());
        bytes.extend(self.topic_id.to_le_bytes());
        bytes.extend(&self.payload);
        bytes
    }

    /// The next frame; None at the end of the stream.
    pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        let mut header = [0; HEADER_SIZE];
        stream.read_exact(&mut header).await.ok()?;
        assert_eq!(&header[..4], b"LANC");
        let mut payload = vec![0; u32_at(&header, 32) as usize];
        stream.read_exact(&mut payload).await.ok()?;
        Some(Self {
            version: header[4],
            flags: header[5],
            reserved: u16::from_le_bytes([header[6], header[7]]),
            header_crc: u32_at(&header, 8),
            batch_id: u64_at(&header, 12),
            timestamp_ns: u64_at(&header, 20),
            record_count: u32_at(&header, 28),
            payload_crc: u32_at(&header, 36),
            topic_id: u32_at(&header, 40),
            payload,
        })
    }

    pub fn is_control(&self, command: u64) -> bool {
        self.flags == CONTROL && self.batch_id == command
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.payload).expect("text")
    }
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

pub fn record(kind: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(value);
    bytes
}

/// Bytes in which every place can be told from the others.
pub fn pattern(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}
