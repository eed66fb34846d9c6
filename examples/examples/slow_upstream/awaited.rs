//! The service as an `async fn`.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;
use zen_client::{AsyncClient, ClientError, ClientOptions};

use crate::pooled::UNREACHABLE;

/// The upstream, and the connections to it that nobody uses just now.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    address: SocketAddr,
    idle: Arc<Mutex<Vec<AsyncClient>>>,
    permits: Arc<Semaphore>,
}

impl Upstream {
    /// Asks at most `at_once` questions at once. The others wait.
    pub(crate) fn new(address: SocketAddr, at_once: usize) -> Self {
        Self { address, idle: Arc::default(), permits: Arc::new(Semaphore::new(at_once)) }
    }

    /// Asks the upstream, and says so if it does not answer.
    pub(crate) async fn ask(self, question: Bytes) -> Bytes {
        // The semaphore is never closed, so every question gets a permit.
        let _permit = self.permits.acquire().await;
        if let Some(mut client) = self.take_idle()
            && let Ok(answer) = client.ask(&question).await
        {
            self.put_back(client);
            return answer;
        }
        // There was no connection, or the upstream has closed it meanwhile.
        self.ask_anew(&question).await.unwrap_or(Bytes::from_static(UNREACHABLE))
    }

    async fn ask_anew(&self, question: &Bytes) -> Result<Bytes, ClientError> {
        let mut client = AsyncClient::connect(self.address, &ClientOptions::default()).await?;
        let answer = client.ask(question).await?;
        self.put_back(client);
        Ok(answer)
    }

    fn take_idle(&self) -> Option<AsyncClient> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, client: AsyncClient) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }
}
