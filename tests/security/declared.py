"""What each endpoint asks of whoever calls it: one line each, an action of policy.TABLE or one of the four words below.

This is written by hand, beside the code and not from it: an endpoint that is missing here fails, and so does one that
lets anybody in whom the action does not name.
"""

from __future__ import annotations

PUBLIC = "public"  # for everybody
ACCOUNT = "account"  # for whoever is signed in as staff
HALF = "half"  # for whoever gave a password and owes the second factor
DEMO = "demo"  # there is nothing here but on the demonstration

_ACTIONS = {
    PUBLIC: """accounts.forgotten_password accounts.reset_password accounts.sign_in accounts.sign_out api.openapi api.pair
        certificates.verify check_in_desk.manifest check_in_desk.shell check_in_desk.worker consultations.accept_invitation
        invitation.open_link monitor.is_alive monitor.is_ready monitor.metrics
        overview.home registrations.join registrations.open_link registrations.send_links reports.download
        reports.certificate reports.present_certificate reports.report_page reports.schema reports.verify room.short static
        web.set_language""",
    ACCOUNT: """accounts.add_passkey accounts.change_password accounts.confirm accounts.confirm_by_passkey accounts.end_other_sessions
        accounts.end_session accounts.passkey_options accounts.profile accounts.remove_passkey accounts.renew_recovery_codes
        accounts.set_up_second_factor""",
    HALF: "accounts.second_factor accounts.sign_in_by_passkey",
    DEMO: "accounts.sign_in_demo registrations.open_demo",
    "consultation.create": "consultations.create consultations.subdivisions",
    "consultation.see": "events.list_events",
    "consultation.work": "consultations.indicators consultations.sections overview.consultation",
    "consultation.edit": "consultations.edit desk.second_pair",
    "consultation.team": "consultations.invite consultations.remove_member consultations.team consultations.withdraw_invitation",
    "framework.import": """consultations.apply_import consultations.drop_import consultations.import_framework
        consultations.preview_import""",
    "framework.export": "consultations.export_framework",
    "indicator.see": "comments.indicator comments.indicators comments.text",
    "section.see": "consultations.section",
    "section.edit": """comments.take_back_change consultations.edit_finding consultations.edit_section desk.carry""",
    "section.advance": "consultations.advance_section consultations.set_deadline",
    "revision.see": "consultations.revision reports.difference_paper reports.differences",
    "event.see": "events.calendar events.poster_pdf events.show registrations.register registrations.registered",
    "event.edit": """events.agenda events.cancel events.create events.edit events.edit_session events.publish
        events.remove_session""",
    "registration.list": "attendance.arrivals registrations.list_registrations registrations.show",
    "registration.add": "api.walk_in attendance.walk_in registrations.add",
    "registration.edit": """registrations.approve registrations.bulk registrations.cancel registrations.decide_move registrations.edit
        registrations.refuse registrations.renew registrations.replace registrations.restore registrations.speaker""",
    "registration.import": "people_import.apply people_import.drop people_import.preview people_import.upload",
    "registration.export": "registrations.export",
    "registration.own": """certificates.own comments.mine registrations.cancel_own registrations.change registrations.own
        registrations.renew_own registrations.replace_own registrations.ticket_file""",
    "registration.settings": """registrations.add_question registrations.change_question registrations.change_type
        registrations.edit_question registrations.list_questions registrations.preview_form registrations.rename_type
        registrations.settings registrations.types""",
    "registration.balance": "registrations.show_balance",
    "message.send": "messages.list_messages messages.outbox messages.send_again messages.show messages.write",
    "privacy.own": "privacy.change_consent privacy.own privacy.take_along",
    "privacy.answer": "privacy.answer privacy.requests",
    "invitation.list": "invitations.by_institution invitations.list_invitations invitations.show",
    "invitation.edit": """invitation_sending.letter invitation_sending.letters_pdf invitation_sending.overview
        invitation_sending.remind invitation_sending.remind_all invitation_sending.renew invitation_sending.send
        invitation_sending.send_all invitations.add invitations.edit invitations.withdraw""",
    "invitation.import": "invitation_import.apply invitation_import.drop invitation_import.preview invitation_import.upload",
    "invitation.own": """invitation.accept invitation.add_delegate invitation.decline invitation.delegate invitation.own
        invitation.replace_delegate invitation.withdraw_delegate""",
    "checkin.scan": "api.check_in api.check_in_batch attendance.check_in attendance.find attendance.scan",
    "checkin.undo": "api.undo attendance.undo",
    "checkin.join": "api.join_code attendance.join_code",
    "checkin.guests": "api.list_guests api.show_event",
    "checkin.replace": "api.replace",
    "checkin.sign": "api.sign",
    "checkin.self": "attendance.here_online",
    "device.pair": "devices.list_devices devices.revoke devices.show",
    "attendance.documents": "documents.sheet",
    "attendance.table": "attendance.hall attendance.participation_xlsx attendance.show documents.participation",
    "document.print": """certificates.correct certificates.issued certificates.one certificates.revoke documents.index
        documents.letterhead documents.minutes documents.number_preview documents.participants documents.record""",
    "document.badge": "api.badge documents.badge documents.print_papers documents.printout documents.printout_file",
    "comment.see": "comments.evidence_file comments.heat_map desk.matrix",
    "comment.write": "comments.endorse comments.keep_draft comments.write room.endorse_shown room.write",
    "comment.record": "comments.record room.record",
    "comment.withdraw": "comments.withdraw",
    "comment.attach": "comments.attach",
    "comment.reply": "comments.reply",
    "reply.withdraw": "comments.withdraw_reply",
    "comment.object": "comments.object_to",
    "comment.draft": "desk.draft_answer",
    "comment.decide": "desk.undo desk.answer_together desk.decide desk.merge_together desk.resolve desk.together",
    "comment.confirm": "desk.confirm",
    "comment.assign": "desk.assign",
    "comment.import": "desk.apply_matrix desk.drop_matrix desk.import_matrix desk.preview_matrix",
    "comment.review": "desk.review",
    "comment.tell": "desk.tell",
    "position.take": "comments.take_position room.position",
    "room.see": "room.events room.follow room.now room.section",
    "room.run": "room.console room.do room.here room.hold_back room.open_room room.report_back room.speakers",
    "room.show": "room.plenary_screen room.screen",
    "room.report": "room.plenary",
    "hand.raise": "room.hand",
    "signoff.see": "signoff.checkpoint signoff.sections",
    "signoff.sign": "signoff.ask_passkey signoff.sign signoff.withdraw",
    "signoff.name": "consultations.name_focal_point consultations.set_signing consultations.unname_focal_point",
    "signoff.delegate": "consultations.deputies consultations.name_deputy",
    "signoff.revoke": "consultations.revoke_deputy",
    "digest.choose": "signoff.digest",
    "report.see": "reports.draft reports.index",
    "report.seal": "reports.confirm reports.request",
    "report.withdraw": "reports.withdraw",
    "paper.see": "reports.paper reports.papers reports.signature_sheet",
    "paper.keep": "reports.keep_paper",
    "outcome.see": "outcomes.export outcomes.follow_up outcomes.index",
    "outcome.record": "outcomes.record_step outcomes.undo_step",
    "followup.edit": "outcomes.add_follow_up outcomes.change_follow_up outcomes.take_recommendations",
    "followup.report": "outcomes.report_progress",
}
DECLARED = {endpoint: action for action, endpoints in _ACTIONS.items() for endpoint in endpoints.split()}
