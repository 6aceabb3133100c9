"""The words of the pocket in the language of the page: its screens are drawn on the phone."""

from __future__ import annotations

from django.utils.translation import gettext as _


def words() -> dict[str, str]:
    """Return every text that the pocket's program shows, by name."""
    return {
        "list": _("检查任务"), "none": _("没有待检查的任务。有信号时会自动更新。"), "due": _("期限至"), "late": _("已过期限"),
        "on_phone": _("只在这部手机上"), "draft": _("未完成"), "updated": _("更新于"), "offline": _("没有信号：可以照常填写，有信号后自动发送"),
        "sign_in": _("登录已过期：内容仍在这部手机上，请重新登录后继续发送"), "sign_in_link": _("去登录"), "outbox": _("发件箱"), "scan": _("扫码入企"),
        "start": _("开始检查"), "go_on": _("继续检查"), "team": _("检查人员"), "until": _("有效期至"), "basis": _("依据"),
        "history": _("近一年的检查"), "no_history": _("近一年没有检查"), "recuse": _("本人应当回避？请在工作台的任务页面申请，由下一人接替"), "items": _("检查事项"),
        "question": _("问题"), "fine": _("未发现问题"), "problem": _("发现问题"), "not_applicable": _("不涉及"), "not_checked": _("未检查"),
        "remark": _("情况（发现问题时必填）"), "back": _("上一步"), "next": _("下一步"), "photos": _("照片"), "add_photo": _("拍照或选择照片"), "place": _("附上位置"),
        "caption": _("说明"), "remove": _("删除"), "no_photo": _("这不是照片，请重新选择"), "most_photos": _("照片已达上限"), "result": _("检查结果"), "method": _("检查方式"),
        "disposal": _("后续处置"), "note": _("情况说明"), "inspected_on": _("检查日期"), "choose": _("请选择"), "signatures": _("签名"), "inspector_signs": _("检查人员签名"),
        "clear": _("重签"), "party": _("企业签名"), "signed": _("企业签名确认"), "refused": _("企业拒签"), "name": _("签名人姓名"), "witness": _("见证人"), "why": _("拒签原因"),
        "check": _("核对"), "submit": _("提交"), "missing": _("还缺"), "missing_answer": _("没有回答的问题"), "missing_signature": _("检查人员签名不足两人"),
        "missing_party": _("企业签名，或者拒签的原因和见证人"), "missing_result": _("检查方式、结果、处置和日期"), "queued": _("待发送"), "sending": _("正在发送"),
        "waiting": _("照片尚未到齐"), "taken": _("已收妥"), "returned": _("未收下，请修改后重新提交"), "record": _("检查记录（PDF）"), "send_now": _("现在发送"),
        "export": _("导出到文件"), "edit": _("修改"), "full": _("手机存储已满：请先导出或清理，未保存的内容仍在屏幕上"), "persisted": _("浏览器已承诺保留本页数据"),
        "not_persisted": _("浏览器可能清除本页数据：请尽快发送"), "nag": _("有内容在这部手机上超过 24 小时没有发送，请尽快联网"), "theirs": _("对方已提交"), "mine": _("本机"),
        "field": _("项目"), "empty_outbox": _("没有待发送的内容。"), "code": _("统一社会信用代码（或营业执照二维码内容）"), "look": _("查询"), "uscc": _("统一社会信用代码"), "camera": _("用摄像头扫码"),
        "may": _("可以检查"), "may_not": _("今天不得检查"), "look_online": _("查询需要信号；下面只列出本机已有的任务"), 
        "other_user": _("这份内容由另一人填写：请其本人登录后发送"), "busy": _("服务器暂时不能接收，稍后自动重试"), "not_taken": _("服务器没有收下"),
        "sent_back": _("已退回"), "under_way": _("这项任务的报告在发件箱里，请先等它发出或取回修改"), "really": _("确定删除？删除后不能恢复"), "remove_draft": _("删除这份草稿"),
        "on_server": _("照片已在服务器上"), "team_changed": _("检查人员有变动，已去掉不在名单上的签名"), "changed_elsewhere": _("这份草稿已在别的窗口改过：请核对后再提交"), "on_its_way": _("正在发送，不能取回"), "locked": _("已退出登录：请登录后继续。"),
        "other_draft": _("该任务已有新的草稿：请先提交或删除那份草稿"),
        "saved": _("已保存在手机上"), "update": _("有新版本，没有未发送的内容时自动更新"), "photo_lost": _("照片内容不在手机上，请重新拍照"),
    }  # fmt: skip
