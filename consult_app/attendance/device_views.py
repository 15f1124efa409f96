"""The organiser's page of devices: pair one by a QR that works once, see what each does, revoke it."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, url_for
from sqlalchemy import select

from consult_app import qr
from consult_app.attendance import devices, labels
from consult_app.attendance.forms import DeviceForm
from consult_app.attendance.models import Device, DeviceKind
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import _, gettext
from consult_app.once import once
from consult_app.policy import require
from consult_app.web import Answer, external_url

bp = Blueprint("devices", __name__)


def load_device(event: Event, public_id: str) -> Device:
    """A device of this event. Raises Missing."""
    found = db.session.scalar(select(Device).where(Device.event_id == event.id, Device.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such device at this event."))
    return found


@bp.route("/events/<slug>/devices", methods=["GET", "POST"])
def list_devices(slug: str) -> Answer:
    """All devices, and a form that shows the one-time code of a new one."""
    event = load_event(slug)
    require("device.pair", event)
    known = devices.devices_of(event)
    form = DeviceForm.of(len(known) + 1)
    if form.validate_on_submit():
        kind = DeviceKind(form.kind.data)
        signs = bool(form.asks_signature.data)
        device = once(Device, lambda: devices.invite(event, form.name.data or "", kind, by=g.actor, asks_signature=signs)[0])
        secret = devices.pairing_secret(device)
        db.session.commit()
        address = f"{external_url('check_in_desk.shell')}#{secret}"
        size, path = qr.svg_path(address)
        return render_template("attendance/pair.html", event=event, device=device, address=address, size=size, path=path)
    page = render_template("attendance/devices.html", event=event, devices=known, form=form, labels=labels, version=devices.app_version())
    return page, 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/devices/<public_id>")
def show(slug: str, public_id: str) -> Answer:
    """Whether the device has been paired: asked every few seconds while its code is shown."""
    event = load_event(slug)
    require("device.pair", event)
    return render_template("attendance/_paired.html", event=event, device=load_device(event, public_id))


@bp.post("/events/<slug>/devices/<public_id>/revoke")
def revoke(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("device.pair", event)
    device = load_device(event, public_id)
    devices.revoke(device, by=g.actor)
    db.session.commit()
    flash(gettext("%(name)s is revoked. At its next contact it deletes what it holds.", name=device.name), "success")
    return redirect(url_for("devices.list_devices", slug=slug), 303)
