//! What Pusher's protocol asks of a client before it may publish: a signed subscription.

use hmac_sha256::HMAC;

/// The connection's id, out of the server's greeting. Its data is JSON within a JSON string.
pub fn socket_id(greeting: &str) -> Option<&str> {
    let (_, rest) = greeting.split_once("socket_id")?;
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let rest = &rest[start..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    Some(&rest[..end])
}

/// Subscribes to a private channel. A client's server would sign this.
pub fn subscribe(key: &str, secret: &str, channel: &str, socket_id: &str) -> String {
    let signed = HMAC::mac(format!("{socket_id}:{channel}"), secret);
    let signature: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        r#"{{"event":"pusher:subscribe","data":{{"channel":"{channel}","auth":"{key}:{signature}"}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_id_stands_in_a_string() {
        let greeting = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1234.5678\",\"activity_timeout\":120}"}"#;
        assert_eq!(socket_id(greeting), Some("1234.5678"));
        assert_eq!(socket_id("{}"), None);
    }

    /// The example of Pusher's own documentation of its signatures.
    #[test]
    fn a_subscription_is_signed_as_documented() {
        let text = subscribe(
            "278d425bdf160c739803",
            "7ad3773142a6692b25b8",
            "private-foobar",
            "1234.1234",
        );
        let auth =
            "278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4";
        assert!(text.contains(auth));
    }
}
