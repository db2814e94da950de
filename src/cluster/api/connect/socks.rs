//! The tunnel through a SOCKS5 proxy (RFC 1928, RFC 1929), as `golang.org/x/net/internal/socks`
//! opens it. The proxy resolves the name of the target.

use std::io;
use std::net::IpAddr;

use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::endpoint::Endpoint;
use crate::cluster::api::Failure;
use crate::cluster::api::proxy::Proxy;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const USERNAME_AND_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Asks the proxy for a connection to the target.
///
/// # Errors
/// The proxy refuses, or does not answer in SOCKS5. The text is Go's, and names the proxy and the
/// target.
pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Proxy,
    target: &Endpoint,
) -> Result<(), Failure> {
    request(stream, proxy, target).await.map_err(|error| {
        let problem = match error.kind() {
            io::ErrorKind::UnexpectedEof => "EOF".to_owned(),
            _ => error.to_string(),
        };
        let text = format!("socks connect tcp {}->{target}: {problem}", proxy.endpoint);
        Failure::unsent(text)
    })
}

async fn request<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    proxy: &Proxy,
    target: &Endpoint,
) -> io::Result<()> {
    let methods: &[u8] = match &proxy.login {
        Some(_) => &[VERSION, 2, NO_LOGIN, USERNAME_AND_PASSWORD],
        None => &[VERSION, 1, NO_LOGIN],
    };
    stream.write_all(methods).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    check_version(answer[0])?;
    match (answer[1], &proxy.login) {
        (NO_LOGIN, _) => {}
        (USERNAME_AND_PASSWORD, Some(login)) => {
            log_in(stream, &login.username, login.password.expose_secret()).await?;
        }
        (NO_ACCEPTABLE_METHOD, _) => {
            return Err(io::Error::other("no acceptable authentication methods"));
        }
        (other, _) => {
            return Err(io::Error::other(format!("unsupported authentication method {other}")));
        }
    }
    stream.write_all(&connect_request(target)?).await?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    check_version(head[0])?;
    if head[1] != 0 {
        return Err(io::Error::other(format!("unknown error {}", reply_text(head[1]))));
    }
    skip_address(stream, head[3]).await
}

async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    username: &str,
    password: &str,
) -> io::Result<()> {
    let invalid = || io::Error::other("invalid username/password");
    let length = |text: &str| u8::try_from(text.len()).map_err(|_| invalid());
    let (name_length, password_length) = (length(username)?, length(password)?);
    if name_length == 0 {
        return Err(invalid());
    }
    let mut message = vec![1, name_length];
    message.extend_from_slice(username.as_bytes());
    message.push(password_length);
    message.extend_from_slice(password.as_bytes());
    stream.write_all(&message).await?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).await?;
    match answer {
        [1, 0] => Ok(()),
        [1, _] => Err(io::Error::other("username/password authentication failed")),
        _ => Err(io::Error::other("invalid username/password version")),
    }
}

/// The request for a connection to the target.
fn connect_request(target: &Endpoint) -> io::Result<Vec<u8>> {
    let mut message = vec![VERSION, CONNECT, 0];
    match target.host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            message.push(IPV4);
            message.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(IPV6);
            message.extend_from_slice(&address.octets());
        }
        Err(_) => {
            let length = u8::try_from(target.host.len());
            let length = length.map_err(|_| io::Error::other("FQDN too long"))?;
            message.extend_from_slice(&[NAME, length]);
            message.extend_from_slice(target.host.as_bytes());
        }
    }
    message.extend_from_slice(&target.port.to_be_bytes());
    Ok(message)
}

/// Reads the address that the proxy connects from. It is not needed.
async fn skip_address<S: AsyncRead + Unpin>(stream: &mut S, kind: u8) -> io::Result<()> {
    let length = match kind {
        IPV4 => 4,
        IPV6 => 16,
        NAME => usize::from(stream.read_u8().await?),
        other => return Err(io::Error::other(format!("unknown address type {other}"))),
    };
    stream.read_exact(&mut vec![0; length + 2]).await?;
    Ok(())
}

fn check_version(version: u8) -> io::Result<()> {
    match version {
        VERSION => Ok(()),
        other => Err(io::Error::other(format!("unexpected protocol version {other}"))),
    }
}

/// The meaning of a refusal (RFC 1928, 6), in Go's words.
fn reply_text(code: u8) -> String {
    let text = match code {
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        other => return format!("unknown code: {other}"),
    };
    text.to_owned()
}
