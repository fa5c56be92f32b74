//! The certificates that the client trusts.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;
use rustls_platform_verifier::Verifier;

/// The certificates of the system, once they are read. More than a hundred files are read and parsed, and each client
/// would do that again and keep them.
static SYSTEM: Mutex<Option<Arc<Verifier>>> = Mutex::new(None);

/// TLS of a client that trusts the certificates of the system. They are read once in a process.
///
/// # Errors
/// When the system has none.
pub(super) fn of_system() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut system = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner);
    let verifier = match &*system {
        Some(verifier) => Arc::clone(verifier),
        None => Arc::clone(system.insert(Arc::new(Verifier::new(Arc::clone(&provider))?))),
    };
    let mut tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}
