"""Addresses of sign-in, enrolment, profile and members."""

from django.urls import path

from accounts.views import enrolment, members, profile, set_up, sign_in

urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="account_login"),
    path("sign-in/code/", sign_in.second_factor, name="mfa_authenticate"),
    path("sign-in/unfinished/", enrolment.unfinished, name="enrolment_unfinished"),
    path("sign-in/unfinished/sent/", enrolment.mail_sent, name="enrolment_mail_sent"),
    path("sign-out/", sign_in.sign_out, name="account_logout"),
    path("step-up/", sign_in.step_up, name="step_up"),
    path("setup/<str:code>/", set_up.begin, name="set_up"),
    path("invitations/<str:token>/", enrolment.invitation, name="invitation"),
    path("enrolment/link/<str:token>/", enrolment.enrolment_link, name="enrolment_link"),
    path("enrolment/authenticator/", enrolment.authenticator, name="enrolment_authenticator"),
    path("enrolment/recovery-codes/", enrolment.recovery, name="enrolment_recovery"),
    path("enrolment/recovery-codes/confirm/", enrolment.confirm, name="enrolment_confirm"),
    path("profile/", profile.profile, name="profile"),
    path("profile/passphrase/", profile.passphrase, name="password_change"),
    path("profile/recovery-codes/", profile.recovery_codes, name="recovery_codes"),
    path("profile/sessions/", profile.session_list, name="session_list"),
    path("profile/sessions/others/end/", profile.session_end_others, name="session_end_others"),
    path("profile/sessions/<uuid:session_id>/end/", profile.session_end, name="session_end"),
    path("organisations/choose/", profile.choose_organisation, name="organisation_choose"),
    path("members/", members.member_list, name="member_list"),
    path("members/invite/", members.member_invite, name="member_invite"),
    path("members/<uuid:membership_id>/role/", members.member_role, name="member_role"),
    path("members/<uuid:membership_id>/end/", members.member_end, name="member_end"),
    path(
        "members/invitations/<uuid:invitation_id>/resend/",
        members.invitation_resend,
        name="invitation_resend",
    ),
    path(
        "members/invitations/<uuid:invitation_id>/withdraw/",
        members.invitation_withdraw,
        name="invitation_withdraw",
    ),
]
