//! Figures for Prometheus.

use std::net::SocketAddr;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use sakms_core::service::Sakms;

use crate::config::MetricsSetting;
use crate::error::Failure;

/// From a read that is in memory to a wait that somebody gave up.
const SECONDS: [f64; 12] = [
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
];
/// How often what was recorded is summed up. Until then each sample is kept by itself, eight bytes for every call of the store.
const SUMMED_UP: Duration = Duration::from_secs(5);
/// The Prometheus text format, version 0.0.4.
pub(crate) const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page of figures.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorder: PrometheusHandle,
    sakms: Sakms,
}

/// Starts to record, where the setting wants the page.
pub(crate) fn start(
    setting: MetricsSetting,
    listen: SocketAddr,
) -> Result<Option<PrometheusHandle>, Failure> {
    let wanted = match setting {
        MetricsSetting::Auto => listen.ip().is_loopback(),
        MetricsSetting::On => true,
        MetricsSetting::Off => false,
    };
    if !wanted {
        return Ok(None);
    }
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map(Some)
        .map_err(|error| Failure::new("the metrics could not be set up", &error))
}

/// Sums up what is recorded, for as long as the server runs: also when nobody asks for the page.
pub(crate) async fn sum_up(recorder: PrometheusHandle) {
    loop {
        tokio::time::sleep(SUMMED_UP).await;
        recorder.run_upkeep();
    }
}

impl Metrics {
    pub(crate) fn new(recorder: PrometheusHandle, sakms: &Sakms) -> Self {
        let sakms = sakms.clone();
        Self { recorder, sakms }
    }

    /// The figures of now.
    pub(crate) fn page(&self) -> String {
        self.sakms.publish();
        self.recorder.render()
    }
}
