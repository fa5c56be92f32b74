//! The web site of an engine.

use std::sync::Arc;

use crate::daemon::setup::Setup;
use crate::outputs::Served;
use crate::poll::Gate;
use crate::{images, web};

/// The site with operator pages and, if this program can read images, with copies of them in a folder beside the
/// database.
pub(super) fn site(
    setup: &Setup,
    served: &Arc<Served>,
    gate: Gate,
    pages: web::OperatorPages,
) -> (web::Site, web::ImageProxy) {
    let folder = pages.reader.path().with_file_name("images");
    let image_proxy = web::ImageProxy::open(folder, gate, pages.clock.clone());
    image_proxy.configure(setup.image_requests());
    let site = web::Site::new(Arc::clone(served), setup.web.clone()).with_operator_pages(pages);
    let site = match images::AVAILABLE {
        true => site.with_images(image_proxy.clone()),
        false => site,
    };
    (site, image_proxy)
}
