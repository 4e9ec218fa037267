"""Every intent and the function that decides what to do about it: (Turn) -> list[Effect], and nothing else.

After the 56 intents come the turns that no intent names: answers to our own questions, doubt, and messages without words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actions import consent, fallback, faq, groups, learning, media, office, rights, safety, smalltalk
from bot.effects import Effect
from bot.turn import Turn

Handler = Callable[[Turn], list[Effect]]

HANDLERS: Mapping[str, Handler] = {
    "opt_out": consent.opt_out,
    "opt_out_marketing": consent.opt_out_marketing,
    "opt_in": consent.opt_in,
    "reminder_preferences": consent.reminder_preferences,
    "wrong_number": consent.wrong_number,
    "change_number": consent.change_number,
    "safeguarding_disclosure": safety.safeguarding_disclosure,
    "report_abuse": safety.report_abuse,
    "report_suspicious": safety.report_suspicious,
    "verify_message": safety.verify_message,
    "submit_work": learning.submit_work,
    "ask_trainer": learning.ask_trainer,
    "course_info": learning.course_info,
    "report_absence": learning.report_absence,
    "technical_issue": learning.technical_issue,
    "checkin_positive": learning.checkin_positive,
    "checkin_negative": learning.checkin_negative,
    "ask_opportunities": learning.ask_opportunities,
    "request_group_link": groups.request_group_link,
    "group_removal": groups.group_removal,
    "ask_admin": office.ask_admin,
    "request_human": office.request_human,
    "complaint": office.complaint,
    "data_access_request": rights.data_access_request,
    "data_erasure_request": rights.data_erasure_request,
    "data_correction": rights.data_correction,
    "accessibility_request": rights.accessibility_request,
    "greet": smalltalk.greet,
    "thanks": smalltalk.thanks,
    "goodbye": smalltalk.goodbye,
    "affirm": smalltalk.affirm,
    "deny": smalltalk.deny,
    "help": smalltalk.help,
    "bot_challenge": smalltalk.bot_challenge,
    "out_of_scope": smalltalk.out_of_scope,
    "faq_purpose": faq.purpose,
    "faq_scope": faq.scope,
    "faq_voluntary": faq.voluntary,
    "faq_broadcast": faq.broadcast,
    "faq_opt_out_how": faq.opt_out_how,
    "faq_consent": faq.consent,
    "faq_six_months": faq.six_months,
    "faq_code_of_conduct": faq.code_of_conduct,
    "faq_group_hours": faq.group_hours,
    "faq_posting_rules": faq.posting_rules,
    "faq_contact_trainer": faq.contact_trainer,
    "faq_privacy": faq.privacy,
    "faq_monitoring": faq.monitoring,
    "faq_sharing_content": faq.sharing_content,
    "faq_official_number": faq.official_number,
    "faq_report_concern": faq.report_concern,
    "faq_leave_group": faq.leave_group,
    "faq_breach": faq.breach,
    "faq_contact": faq.contact,
    "faq_admin_role": faq.admin_role,
    "faq_submit_work": faq.submit_work,
    # answers to our own questions
    "opt_out_unsure": consent.opt_out_unsure,
    "opt_out_no": consent.opt_out_no,
    "opt_out_checkin": consent.opt_out_checkin,  # heard by rule: a part of reminder_preferences
    "opt_in_service": consent.opt_in_service,
    "opt_in_checkin": consent.opt_in_checkin,
    "opt_in_not_checkin": consent.opt_in_not_checkin,
    "opt_in_marketing": consent.opt_in_marketing,
    "opt_in_after_leaving": consent.opt_in_after_leaving,
    "stay_out": consent.stay_out,
    "change_number_yes": consent.change_number_yes,
    "invitation_declined": groups.invitation_declined,
    # doubt
    "not_understood": fallback.not_understood,
    "unsure": fallback.unsure,
    "nlu_away": fallback.nlu_away,
    "on_hold": safety.on_hold,
    "only_details": smalltalk.only_details,
    # messages without words to understand
    "media_picture": media.file,
    "media_document": media.file,
    "media_video": media.file,
    "media_voice": media.voice,
    "media_sticker": media.sticker,
    "media_location": media.location,
    "media_contact": media.contact,
    "media_unsupported": media.unsupported,
    "media_empty": media.empty,
}
