"""Pages of an enterprise under ``/my/``."""

from django.urls import path

from zhixin_web.faces.enterprise import applications, cases, commitments, joining, mandates, own, reports, visits

urlpatterns = [
    path("", own.home, name="my"),
    path("next", own.coming, name="my_coming"),
    path("why", own.why, name="my_why"),
    path("improve", own.improve, name="my_improve"),
    path("records", own.records, name="my_records"),
    path("records/<int:seq>", own.record, name="my_record"),
    path("records/<int:seq>/apply/<slug:procedure>", applications.begin_application, name="my_apply"),
    path("drafts/<int:pk>", applications.draft_page, name="my_draft"),
    path("drafts/<int:pk>/words", applications.save_words, name="my_draft_words"),
    path("drafts/<int:pk>/files", applications.files, name="my_draft_files"),
    path("drafts/<int:pk>/files/<int:file>/remove", applications.remove_file, name="my_draft_remove"),
    path("drafts/<int:pk>/check", applications.check_page, name="my_draft_check"),
    path("drafts/<int:pk>/discard", applications.discard_draft, name="my_draft_discard"),
    path("cases", cases.cases_page, name="my_cases"),
    path("cases/<int:pk>", cases.case_page, name="my_case"),
    path("cases/<int:pk>/paper/<int:position>", cases.paper, name="my_case_paper"),
    path("cases/<int:pk>/files/<int:file>", cases.attachment, name="my_attachment"),
    path("commitments", commitments.commitments_page, name="my_commitments"),
    path("commitments/sign/<slug:code>", commitments.sign_page, name="my_sign"),
    path("commitments/<int:pk>", commitments.commitment_page, name="my_commitment"),
    path("commitments/<int:pk>/paper", commitments.paper, name="my_commitment_paper"),
    path("commitments/<int:pk>/orders/<int:position>", commitments.order, name="my_commitment_order"),
    path("commitments/<int:pk>/answer", commitments.answer_check, name="my_commitment_answer"),
    path("commitments/<int:pk>/withdraw", commitments.withdraw_commitment, name="my_commitment_withdraw"),
    path("inspections", visits.visits_page, name="my_visits"),
    path("inspections/<int:pk>/rating", visits.rate, name="my_rating"),
    path("reports", reports.reports_page, name="my_reports"),
    path("reports/report.pdf", reports.own_report, name="my_report"),
    path("mandates", mandates.mandates_page, name="my_mandates"),
    path("mandates/<int:pk>/end", mandates.end, name="my_mandate_end"),
    path("for", mandates.act_for, name="my_act_for"),
    path("join", joining.join, name="my_join"),
    path("identity", joining.leave, name="oidc_authentication_init"),
    path("identity/back", joining.come_back, name="oidc_authentication_callback"),
]
